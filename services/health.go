package services

import "time"

// UpstreamHealth is how one upstream of an instance is, as this cell sees it: each
// cell asks and judges by itself.
type UpstreamHealth struct {
	URL         string
	Well        bool
	Why         string    // when not well; for the provider, and not for clients
	Since       time.Time // when it last changed
	Checked     time.Time // when a health check was last answered, or not in time; zero: none was
	Outstanding int       // requests under way from this cell
}

// Healths tells how the upstreams of an instance are, in the order in which they are
// set; none of an instance that is not here.
type Healths interface {
	Health(id InstanceID) []UpstreamHealth
}
