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
	"runtime/debug"
	"time"

	"causeway/internal/config"
	"causeway/internal/logs"
	"causeway/internal/secret"
	"causeway/internal/site"
	"causeway/services/upstream"
)

// Options are the flags of `causeway dev`.
type Options struct {
	Folder string // empty makes a temporary one, which stays
	Base   *int   // first port; 0 takes free ones; nil keeps a folder's, else 8443
	Site   string // run only this one
	JSON   bool   // print dev.json and nothing else
	Out    io.Writer
	Now    func() time.Time // nil is time.Now
	// Databases replaces a site's SQLite file by another database, by site.
	Databases map[string]string
	// Adjust changes a site's configuration before it is used.
	Adjust func(*config.Config)
}

// tempFolders are what the temporary folders are called.
const tempFolders = "causeway-dev-*"

// config is what a site runs with.
func (o Options) config(f *File, folder string, plan *SiteFile) *config.Config {
	c := f.siteConfig(folder, plan)
	if url := o.Databases[plan.Name]; url != "" {
		c.Database.URL = secret.Text(url)
	}
	if o.Adjust != nil {
		o.Adjust(c)
	}
	return c
}

// Dev is a running pair of sites, or one of the pair.
type Dev struct {
	File    *File
	Folder  string
	options Options
	running map[string]*running
	logs    *os.File
	log     *logs.Log
}

// ErrNoSuchSite is for Options that name a site which does not exist.
var ErrNoSuchSite = errors.New("the sites are west and east")

// Prepare makes the folder ready to be started from, and starts nothing.
func Prepare(ctx context.Context, o Options) error {
	_, err := prepare(ctx, o.Folder, o)
	return err
}

// Start prepares the folder and starts the sites. It returns when they serve.
func Start(ctx context.Context, o Options) (_ *Dev, err error) {
	if o.Site != "" && planOf(o.Site) == nil {
		return nil, fmt.Errorf("there is no site %q: %w", o.Site, ErrNoSuchSite)
	}
	d := &Dev{Folder: o.Folder, options: o, running: map[string]*running{}}
	if d.Folder == "" {
		if d.Folder, err = os.MkdirTemp("", tempFolders); err != nil {
			return nil, err
		}
	}
	if d.Folder, err = filepath.Abs(d.Folder); err != nil {
		return nil, err
	}
	if d.File, err = prepare(ctx, d.Folder, o); err != nil {
		return nil, err
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
	d.log = logs.New(d.logs)
	for i := range d.File.Sites {
		if name := d.File.Sites[i].Name; o.Site == "" || o.Site == name {
			if err := d.StartSite(ctx, name); err != nil {
				return nil, fmt.Errorf("site %s: %w", name, err)
			}
		}
	}
	debug.FreeOSMemory() // hashing the first passwords took 19 MiB each
	return d, nil
}

// running is a site with its sample service.
type running struct {
	site   *site.Site
	sample *http.Server
}

// StartSite starts one site. Start does it for all.
func (d *Dev) StartSite(ctx context.Context, name string) (err error) {
	plan := d.File.Site(name)
	log := d.log.Text(slog.LevelInfo)
	s, err := site.New(ctx, d.options.config(d.File, d.Folder, plan), site.Options{Log: log, Now: d.options.Now})
	if err != nil {
		return err
	}
	r := &running{site: s, sample: &http.Server{Handler: upstream.Sample(plan.Name), ReadHeaderTimeout: 5 * time.Second}}
	d.running[name] = r
	if err := d.File.moveEndpoints(ctx, s); err != nil {
		return err
	}
	l, err := net.Listen("tcp", loopback(plan.Ports.Sample))
	if err != nil {
		return fmt.Errorf("sample listener: %w", err)
	}
	go func() { _ = r.sample.Serve(l) }() // ends when the site is stopped
	return s.Start(ctx)
}

// StopSite ends one site, letting requests under way finish until ctx ends.
func (d *Dev) StopSite(ctx context.Context, name string) error {
	r := d.running[name]
	if r == nil {
		return nil
	}
	delete(d.running, name)
	return errors.Join(r.site.Stop(ctx), r.sample.Close(), d.log.Flush())
}

// Stop ends everything, one site after the other: two that say goodbye at once
// wait for each other.
func (d *Dev) Stop(ctx context.Context) error {
	var errs []error
	for name := range d.running {
		errs = append(errs, d.StopSite(ctx, name))
	}
	if d.logs != nil {
		errs = append(errs, d.log.Flush(), d.logs.Close())
		d.logs = nil
	}
	return errors.Join(errs...)
}

// Site is a running site.
func (d *Dev) Site(name string) *site.Site { return d.running[name].site }

// Print tells people how to go on, or scripts everything in dev.json.
func (d *Dev) Print(o Options) error {
	if o.JSON {
		enc := json.NewEncoder(o.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(d.File)
	}
	return d.welcome(o.Out, o.Site)
}
