// Package associations is what administrators do with the associations of this
// site and of its organizations: they hand out its data, take in that of others,
// change and end what was made.
//
// Whether the other side holds its half as well, and whether it can be reached,
// is found out by contact with it, which is told of every change. Only inside the
// site both halves are here, and the status follows at once.
package associations
