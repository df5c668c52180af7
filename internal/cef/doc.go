// Package cef writes events in the Common Event Format of ArcSight, version 0, as
// collectors of security events read it ("Implementing ArcSight Common Event Format",
// revision 25). It knows nothing of what the events are about.
package cef
