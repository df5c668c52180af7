package dev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"causeway/internal/site"
	"causeway/services"
)

// Options are the flags of `causeway dev`.
type Options struct {
	Folder string // empty makes a temporary one, which stays
	Base   *int   // first port; 0 takes free ones; nil keeps a folder's, else 8443
	Site   string // run only this one
	JSON   bool   // print dev.json and nothing else
	Out    io.Writer
	Now    func() time.Time
}

// Dev is a running pair of sites, or one of the pair.
type Dev struct {
	File    *File
	Folder  string
	sites   []*site.Site
	samples []*http.Server
	logs    *os.File
}

// Start prepares the folder and starts the sites. It returns when they serve.
func Start(ctx context.Context, o Options) (_ *Dev, err error) {
	d := &Dev{Folder: o.Folder}
	if d.Folder == "" {
		if d.Folder, err = os.MkdirTemp("", "causeway-dev-*"); err != nil {
			return nil, err
		}
	}
	if d.Folder, err = filepath.Abs(d.Folder); err != nil {
		return nil, err
	}
	if d.File, err = prepare(ctx, d.Folder, o.Base); err != nil {
		return nil, err
	}
	if o.Site != "" && d.File.Site(o.Site) == nil {
		return nil, fmt.Errorf("there is no site %q; the sites are west and east", o.Site)
	}
	defer func() {
		if err != nil {
			stop, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			err = errors.Join(err, d.Stop(stop))
		}
	}()
	d.logs, err = os.OpenFile(filepath.Join(d.Folder, "causeway.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	for i := range d.File.Sites {
		if plan := &d.File.Sites[i]; o.Site == "" || o.Site == plan.Name {
			if err := d.start(ctx, plan, o); err != nil {
				return nil, err
			}
		}
	}
	return d, nil
}

func (d *Dev) start(ctx context.Context, plan *SiteFile, o Options) error {
	log := slog.New(slog.NewTextHandler(d.logs, nil)).With("site", plan.Name)
	s, err := site.New(ctx, d.File.siteConfig(d.Folder, plan), site.Options{Log: log, Now: o.Now})
	if err != nil {
		return err
	}
	d.sites = append(d.sites, s)
	if err := d.File.moveEndpoints(ctx, s); err != nil {
		return err
	}
	l, err := net.Listen("tcp", loopback(plan.Ports.Sample))
	if err != nil {
		return err
	}
	sample := &http.Server{Handler: services.Sample(plan.Name), ReadHeaderTimeout: 5 * time.Second}
	d.samples = append(d.samples, sample)
	go func() { _ = sample.Serve(l) }() // ends with Stop
	return s.Start(ctx)
}

// Stop ends the sites, letting requests under way finish until ctx ends.
func (d *Dev) Stop(ctx context.Context) error {
	var errs []error
	for _, s := range d.sites {
		errs = append(errs, s.Stop(ctx))
	}
	for _, s := range d.samples {
		errs = append(errs, s.Close())
	}
	if d.logs != nil {
		errs = append(errs, d.logs.Close())
	}
	d.sites, d.samples, d.logs = nil, nil, nil
	return errors.Join(errs...)
}

// Site is the running site at position i, in the order of File.
func (d *Dev) Site(i int) *site.Site { return d.sites[i] }

// Print tells people how to go on, or scripts everything in dev.json.
func (d *Dev) Print(o Options) error {
	if o.JSON {
		enc := json.NewEncoder(o.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(d.File)
	}
	return d.welcome(o.Out, o.Site)
}
