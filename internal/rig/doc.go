// Package rig rehearses a federation: whole sites in one process, joined by a
// network in memory (federation/memnet), and a script that says what happens to
// them and what must follow. It prints a timeline of what happened when.
//
// Nothing in a site is replaced but its network and its clock: databases, keys,
// certificates, gossip, heartbeats and requests are those of `causeway serve`.
// The rig waits by package time alone, so it runs in real time, and in a
// testing/synctest bubble within a fraction of it. Databases are SQLite, since a
// bubble's time stands still while somebody waits for a socket; the cells of one
// site share a file.
//
// A skew moves the whole clock of a site's processes. A real clock that is set
// leaves what measures durations alone; here setting it forward looks like
// silence of the database until the next look, and setting it back keeps limits
// exhausted for as long. Stop a site before its clock goes back.
//
// # Scripts
//
// A script has one statement on a line; # begins a comment. Durations are as in
// Go: 250ms, 1m30s. The first statements describe the world:
//
//	seed 7                             what is left to chance; 1 if absent
//	site west                          a site with an organization of the same name and the
//	site east cells 2                  service account "app"; 1 cell if not said
//	gossip wan                         wan (if absent), lan or off
//	associate west east                the sites and their organizations; "associate all" is everybody
//	associate west east sites          only the sites
//	link west east 40ms jitter 5ms loss 1% rate 100000
//	                                   one way, packets of a hundred, bytes a second; "link west -> east" is one direction
//
// Then come times and what happens then. A line without a time is of the same
// time as the line before it.
//
//	at 10s cut west east               both directions; "cut west -> east" is one; streams stall
//	at 10s reset west east             streams between them break
//	at 40s heal west east              ends cuts
//	at 40s link west east 200ms        changes a link, in all its values
//	at 5s  skew east +45s              sets how far its clocks are ahead
//	at 5s  crash east                  all its cells, as kill -9 does; "crash east 2" is the second cell
//	at 5s  stop east                   in order
//	at 9s  start east                  the cells that do not run
//	at 9s  break east                  they lose their database, until they crash and start
//	at 12s mend east                   or find it again; "break east 2" and "mend east 2" are one cell's
//	at 20s revoke west                 the token of its app
//	at 20s login west                  a new one
//	at 20s disable east                its organization; "enable east" is the way back
//	at 20s remove west east            west's side of both associations
//	at 20s associate west east         as above
//
// Requests are sent by the app of the site that is named first, to the gateway
// of its own site, in the organization of the site named second:
//
//	at 0s every 1s request west -> east        until the end, or "until 30s"
//
// What must follow is written as what is looked at, its value, and either how
// soon it must be so or for how long it must stay so:
//
//	expect request west -> east 503 within 3s  the HTTP status; "refused" is any above 399, "none" if nobody answered
//	expect west status east UNREACHABLE within 35s   the site's association, or "none"
//	expect west org east ACTIVE for 20s        the organization's association, or "none"
//	expect west members 2 within 60s           cells that its gossip knows to be alive, its own not counted
//	expect west ready yes for 60s              whether all its cells that run say they can serve
//	end 90s                                    if not said, when the last expectation ends
//
// An expectation with "within" sends one request after the other and is met by
// the first that is answered as expected before the time is over; with "for", it
// fails by the first that is not.
package rig
