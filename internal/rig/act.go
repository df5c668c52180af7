package rig

import (
	"context"
	"errors"
	"fmt"

	"causeway/federation"
	"causeway/federation/memnet"
	"causeway/internal/site"
)

// act does what a step says, at once.
func (w *World) act(ctx context.Context, s Step) error {
	a := w.site(s.A)
	switch s.Verb {
	case Associate:
		return w.associate(ctx, s)
	case Remove:
		return a.remove(ctx, w.site(s.B))
	case SetLink, Cut, Heal, Reset:
		w.change(s)
	case Skew:
		a.skew.Store(int64(s.Skew))
	case Crash, Stop, Start, Break, Mend:
		return w.processes(ctx, s)
	default:
		return a.act(ctx, s.Verb)
	}
	return nil
}

// associate has both sides hold the association. Before the sites start it is an
// old one; later, each side has yet to find out that the other holds it, too.
func (w *World) associate(ctx context.Context, s Step) error {
	status := federation.Asymmetric
	if w.begun.IsZero() {
		status = federation.StatusActive
	}
	a, b := w.site(s.A), w.site(s.B)
	return errors.Join(a.associate(ctx, b, !s.SitesOnly, status), b.associate(ctx, a, !s.SitesOnly, status))
}

// change sets, cuts or heals a link, or breaks the streams on it.
func (w *World) change(s Step) {
	if s.Verb == Reset {
		w.net.Reset(s.A, s.B)
		return
	}
	set := func(l *memnet.Link) {
		if s.Verb == SetLink {
			cut := l.Cut
			*l = s.Link
			l.Cut = cut
		} else {
			l.Cut = s.Verb == Cut
		}
	}
	w.net.Change(s.A, s.B, set)
	if !s.OneWay {
		w.net.Change(s.B, s.A, set)
	}
}

// processes starts or ends cells, or what they need.
func (w *World) processes(ctx context.Context, s Step) error {
	var errs []error
	for _, c := range w.site(s.A).cells {
		if s.Cell != 0 && s.Cell != c.number {
			continue
		}
		var err error
		switch {
		case s.Verb == Start:
			err = c.start(ctx)
		case c.running() == nil: // has ended before
		case s.Verb == Crash:
			err = c.crash()
		case s.Verb == Break, s.Verb == Mend:
			c.breaks(s.Verb == Break)
		default:
			err = c.stop()
		}
		if err != nil && !goodbye(err) {
			errs = append(errs, fmt.Errorf("cell %d: %w", c.number, err))
		}
	}
	return errors.Join(errs...)
}

// act is what an administrator does at a site.
func (p *place) act(ctx context.Context, v Verb) error {
	s, err := p.any()
	if err != nil {
		return err
	}
	switch v {
	case Revoke:
		return s.OAuth().Revoke(ctx, p.admin, p.org, p.app)
	case Login:
		return p.login(ctx, s)
	case Disable, Enable:
		return p.enable(ctx, s, v == Enable)
	}
	return fmt.Errorf("nobody knows how to %s", v)
}

// enable turns the site's organization on or off.
func (p *place) enable(ctx context.Context, s *site.Site, on bool) error {
	if on {
		return s.Tenants().EnableOrganization(ctx, p.admin, p.org)
	}
	return s.Tenants().DisableOrganization(ctx, p.admin, p.org)
}
