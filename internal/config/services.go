package config

// Service is one instance behind this site, and who may call what of it.
type Service struct {
	// Name of the instance, unique.
	Name string `yaml:"name" required:"true"`
	// Path under which clients reach it, such as /metrics. It must not be, hold
	// or lie below a path of the gateway's own. Two instances must not overlap.
	Prefix string `yaml:"prefix" required:"true"`
	// Where requests go: http:// or https:// and a host, without a path, so
	// that the path that was authorized is the path that is asked.
	Upstream string `yaml:"upstream" required:"true"`
	// What may be called. A request that no route matches is refused.
	Routes []ServiceRoute `yaml:"routes" required:"true"`
}

// ServiceRoute lets holders of a right call a path.
type ServiceRoute struct {
	// HTTP method; WEBSOCKET is a GET that becomes a WebSocket (RFC 6455) and lasts
	// as long as the session and the right do.
	Method string `yaml:"method" required:"true" oneof:"GET HEAD POST PUT PATCH DELETE OPTIONS WEBSOCKET"`
	// Path from the root, below the prefix. A segment {name} stands for any one
	// segment, a last segment * for everything below.
	Path string `yaml:"path" required:"true"`
	// Name of the right the caller needs.
	Right string `yaml:"right" required:"true"`
}
