// Package journal owns the ordered, hash-chained record of every
// security-relevant change, and the tail that every cell follows to forget what
// it had cached. It does not own the database: a store appends rows in the same
// transaction as the change they describe.
package journal
