// Package receipts answers where a change has taken effect: which cells of this
// site know it, and when nobody can act by the state before it any more.
//
// The proof has three parts. A cell has applied the change when its followers have
// read the journal that far. A cell that has not serves for journal.stale_after at
// most without reading the journal again, and refuses then; that is all a cell is
// waited for that nobody hears of. And an associated site knows our principals by
// one-time assertions alone, which only our cells make: the last one that a cell
// could make is over [assertion.Longest] later.
//
// Nothing is said about who verifies access tokens by our public keys without
// asking us: for them a token lives until it expires.
package receipts
