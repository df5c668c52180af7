// Package gossip owns the memberlist between sites: who is there, and at which
// address a peer's cells say they can be reached.
//
// What it knows is a hint and never more. Whoever holds the gossip key can add,
// move and kill members; an address only becomes a candidate when the root key
// of an associated site has signed it, and even then package peer makes whoever
// answers there prove the site. So false gossip costs time, nothing else.
//
// It owns no association, no status and no request; and nothing waits for it.
package gossip
