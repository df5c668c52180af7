// Package links is this site's living side of its associations: it decides which
// site fulfils a request, sends it there with an assertion, and says who a
// request from there speaks for.
//
// What it knows of associations comes from the database and is forgotten when
// the journal says so. Rules are elsewhere: the routing table in package route,
// trust in packages assertion and peer.
package links
