// Package machines is the pages about who acts without a person: service accounts
// and their access requests, API tokens, and the sessions that all of them and people
// have.
package machines
