// Package cells owns who serves this site: each process that does writes, every
// second, that it is there and how far it has followed the journal. From that
// follow how many share a site-wide budget ([Registry.Live]) and who has applied
// a change ([Registry.Cells], [Registry.Settled]).
//
// Nothing is decided by it that lets anybody in: a cell that cannot reach the
// database refuses by itself (journal.Tail), whatever is written here.
package cells
