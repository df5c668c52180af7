// Package benchtest is what benchmarks share that compare a site with a bare
// yardstick: a load client in a process of its own, so that the processor time of
// ours is the server's alone, and rounds in turns, because a busy machine is
// busy for both.
package benchtest
