package gossip

import "github.com/hashicorp/memberlist"

// delegate is what memberlist calls. Its events run under memberlist's own lock:
// a call back to Members or LocalNode from there would never return.
type delegate struct{ g *Gossip }

// NodeMeta is what we say about ourselves; memberlist ends the process if it is
// too long, which encode has ruled out.
func (d delegate) NodeMeta(int) []byte { return d.g.said.Load().raw }

// Nothing else is exchanged: no truth may come this way.
func (delegate) NotifyMsg([]byte)                {}
func (delegate) GetBroadcasts(int, int) [][]byte { return nil }
func (delegate) LocalState(bool) []byte          { return nil }
func (delegate) MergeRemoteState([]byte, bool)   {}

func (d delegate) NotifyAlive(n *memberlist.Node) error { return d.g.table.admit(n.Name, n.Meta) }

func (d delegate) NotifyJoin(n *memberlist.Node) {
	d.g.table.up(n.Name, n.Meta, n.Address())
	poke(d.g.changed)
	poke(d.g.news)
}

func (d delegate) NotifyUpdate(n *memberlist.Node) { d.NotifyJoin(n) }

func (d delegate) NotifyLeave(n *memberlist.Node) {
	d.g.table.down(n.Name)
	poke(d.g.changed)
}

// NotifyConflict counts: a name follows from signed content, so two addresses
// for one mean a member behind two addresses, or somebody with the key playing it.
func (d delegate) NotifyConflict(_, _ *memberlist.Node) { d.g.conflicts.Add(1) }
