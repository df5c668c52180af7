// Package upkeep is the work that a site does for itself while it serves: it
// removes what nobody needs any more ([Cleaner]), and makes the events outside
// the journal part of its chain ([Sealer]). Each is done by one cell at a time,
// which a lease in the database decides; when that cell dies another goes on
// where it was, and if two ever ran at once, nothing would be done twice that may
// not be.
//
// What may be removed is for the store's rules to say, which are held against the
// contracts of those who read the rows. When and how fast is said here.
package upkeep
