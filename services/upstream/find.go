package upstream

import (
	"context"
	"maps"
	"slices"
	"strings"

	"causeway/internal/journal"
	"causeway/services"
)

// routes finds the instances of organizations. It never changes.
type routes struct {
	hosts    map[string]*Instance
	prefixes map[string]*Instance
	deepest  int // segments of the longest prefix
	byID     map[services.InstanceID]*Instance
}

// newRoutes keeps what the site itself answers by out of the hosts.
func newRoutes(instances []*Instance, own []string) *routes {
	t := &routes{
		hosts: map[string]*Instance{}, prefixes: make(map[string]*Instance, len(instances)),
		byID: make(map[services.InstanceID]*Instance, len(instances)),
	}
	for _, in := range instances {
		t.byID[in.Service.ID] = in
		for _, host := range in.Service.Hosts {
			if !slices.Contains(own, host) {
				t.hosts[host] = in
			}
		}
		if in.Prefix != "" {
			t.prefixes[in.Prefix] = in
			t.deepest = max(t.deepest, strings.Count(in.Prefix, "/"))
		}
	}
	return t
}

// under finds the longest prefix that holds path.
func (t *routes) under(path string) (found *Instance, below string) {
	end := 0
	for range t.deepest {
		next := strings.IndexByte(path[end+1:], '/')
		if next < 0 {
			end = len(path)
		} else {
			end += 1 + next
		}
		if in, ok := t.prefixes[path[:end]]; ok {
			found, below = in, path[end:]
		}
		if next < 0 {
			break
		}
	}
	if below == "" {
		below = "/"
	}
	return found, below
}

// hostName is the name in a Host header as instances have it: lower case, without
// the port and the dot of the root.
func hostName(host string) string {
	if colon := strings.LastIndexByte(host, ':'); colon >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:colon]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// OwnsHost reports whether all of a host is one instance's, whatever the path. What
// cannot be found out now is an error.
func (p *Proxy) OwnsHost(ctx context.Context, host string) (bool, error) {
	if p.store == nil {
		return false, nil
	}
	name := hostName(host)
	if slices.Contains(p.own, name) {
		return false, nil
	}
	t, err := p.routes(ctx)
	if err != nil {
		return false, err
	}
	return t.hosts[name] != nil, nil
}

// Match finds the instance for a host and a canonical path: by its host, then among
// those that the configuration names, which nobody can take a path from, then by the
// longest prefix. host is empty for what may not be found by one.
func (p *Proxy) Match(ctx context.Context, host, method, path string) (Match, error) {
	if p.store == nil {
		return p.table.Match(method, path), nil
	}
	var name string
	if host != "" {
		name = hostName(host)
	}
	byHost := name != "" && !slices.Contains(p.own, name)
	m := p.table.Match(method, path)
	if m.Instance != nil && !byHost {
		return m, nil
	}
	t, err := p.routes(ctx)
	if err != nil {
		return Match{}, err
	}
	if byHost {
		if in := t.hosts[name]; in != nil {
			return Match{Instance: in, Path: path, ByHost: true}, nil
		}
	}
	if m.Instance == nil {
		m.Instance, m.Path = t.under(path)
	}
	return m, nil
}

// Again is an instance of an organization as it is now; nil is of one that is gone.
func (p *Proxy) Again(ctx context.Context, in *Instance) (*Instance, error) {
	t, err := p.routes(ctx)
	if err != nil {
		return nil, err
	}
	return t.byID[in.Service.ID], nil
}

// routes is the table of the instances that there are now. Who comes after a change
// waits until it is read; one reads for all.
func (p *Proxy) routes(ctx context.Context) (*routes, error) {
	if t := p.current.Load(); t != nil {
		return t, nil
	}
	p.mu.Lock()
	changes := p.changes
	p.mu.Unlock()
	t, err := p.read.Fill(ctx, struct{}{}, func() (*routes, error) { return p.load(ctx) })
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changes == changes {
		p.current.Store(t)
	}
	return t, nil
}

func (p *Proxy) load(ctx context.Context) (*routes, error) {
	p.mu.Lock()
	changes := p.changes
	p.mu.Unlock()
	var stored []services.ServiceInstance
	err := p.store.View(ctx, func(r services.Reader) (err error) {
		stored, err = r.EveryInstance()
		return err
	})
	if err != nil {
		return nil, err
	}
	p.loads.Add(1)
	instances := make([]*Instance, len(stored))
	for i := range stored {
		instances[i] = &Instance{Name: stored[i].Name, Prefix: stored[i].Prefix, Service: &stored[i]}
	}
	p.adopt(instances, changes)
	return newRoutes(instances, p.own), nil
}

// adopt gives instances their pools: what is known of an upstream outlives changes
// that are not about it. Of two reads the later change's counts.
func (p *Proxy) adopt(instances []*Instance, changes uint64) {
	p.pooling.Lock()
	defer p.pooling.Unlock()
	pools := make(map[services.InstanceID]*pool, len(instances))
	for _, in := range instances {
		before := p.pools[in.Service.ID]
		if before == nil || !before.serves(in.Service) {
			in.pool = p.newPool(in.Service, before)
		} else {
			in.pool = before
		}
		pools[in.Service.ID] = in.pool
	}
	if changes < p.pooled { // read before what is there
		for _, in := range instances {
			if p.pools[in.Service.ID] != in.pool {
				in.pool.stop()
			}
		}
		return
	}
	for id, before := range p.pools {
		if after := pools[id]; after != before {
			before.stop()
			if after != nil {
				after.forgive(before)
			}
		}
	}
	p.pools, p.pooled = pools, changes
	for _, one := range pools {
		one.start()
	}
}

// Apply implements journal.Follower.
func (p *Proxy) Apply(row journal.Row) {
	if row.Subject.Kind == journal.KindServiceInstance || row.Action == journal.OrganizationDeleted {
		p.forget()
	}
}

// Flush implements journal.Follower.
func (p *Proxy) Flush() { p.forget() }

// forget has the table read again before it is used. Reads that have begun are for
// those who wait for them already.
func (p *Proxy) forget() {
	p.read.Flush()
	p.mu.Lock()
	p.changes++
	p.current.Store(nil)
	p.mu.Unlock()
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// Health implements services.Healths.
func (p *Proxy) Health(id services.InstanceID) []services.UpstreamHealth {
	p.pooling.Lock()
	defer p.pooling.Unlock()
	if one := p.pools[id]; one != nil {
		return one.health()
	}
	return nil
}

// each calls see for every pool there is.
func (p *Proxy) each(see func(*pool)) {
	p.pooling.Lock()
	pools := slices.Collect(maps.Values(p.pools))
	p.pooling.Unlock()
	for _, one := range pools {
		see(one)
	}
}
