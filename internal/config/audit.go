package config

import "net/netip"

// Audit says where the audit trail is handed on to.
type Audit struct {
	// Networks in which webhooks may be, such as 192.0.2.0/24. None allows public
	// addresses: receivers in private networks want their networks named. This host,
	// addresses on its own wire (link-local) and those at which clouds tell secrets are
	// refused unless a named network contains them.
	WebhookNetworks []netip.Prefix `yaml:"webhook_networks"`
	// Whether webhooks may be called without TLS, allowed or forbidden. Who is on the
	// way then reads what they are told.
	WebhookHTTP string `yaml:"webhook_http" default:"forbidden" oneof:"forbidden allowed"`
	// File with the certificates to trust of webhooks instead of the system's, PEM.
	WebhookCA string `yaml:"webhook_ca"`
	// Collectors that get every change.
	Syslog []Syslog `yaml:"syslog"`
}

// Syslog is a collector of RFC 5424 messages.
type Syslog struct {
	// Name of the collector, unique. How far it is is kept under this name.
	Name string `yaml:"name" required:"true"`
	// Address of the collector, host:port.
	Address string `yaml:"address" required:"true"`
	// How it is reached: tls (RFC 5425), tcp (with octet counting) or udp, which may
	// lose messages.
	Transport string `yaml:"transport" default:"tls" oneof:"tls tcp udp"`
	// File with the certificates to trust instead of the system's, PEM; for tls.
	CA string `yaml:"ca"`
	// File with the certificate that this site shows, PEM; for tls where the collector
	// asks for one.
	Certificate string `yaml:"certificate"`
	// File with that certificate's private key, PEM.
	Key string `yaml:"key"`
	// What a message holds, json or cef.
	Format string `yaml:"format" default:"json" oneof:"json cef"`
	// Facility of the messages, by its number: 13 is log audit, 10 security.
	Facility int `yaml:"facility" default:"13" min:"0" max:"23"`
}
