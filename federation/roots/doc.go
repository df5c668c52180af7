// Package roots keeps this site's root keys: who holds one is the site, for every
// peer.
//
// A key is published first, in the bundle that its predecessor signs; signs
// later, when every peer has heard of it; and is retired when nothing that the one
// before it signed is in use any more. Which key signs follows from the times in
// the rows, so that cells agree without talking.
package roots
