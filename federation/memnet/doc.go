// Package memnet is a network in memory, for many sites in one process: streams
// and packets between hosts, over links that can be slow, lossy, cut in one or
// both directions, and healed.
//
// It waits only by timers and channels, so in a testing/synctest bubble its time
// is the bubble's. What is left to chance (loss, jitter) comes from a seed, by
// link and in the order in which a link is used.
//
// It is simpler than TCP in one respect that counts: a stream through a cut link
// stalls for as long as the cut lasts and goes on afterwards, and never gives up
// by itself. Deadlines and pings of those who use it do.
package memnet
