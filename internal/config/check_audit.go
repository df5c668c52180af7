package config

func checkAudit(c *Config, say report) {
	checkNetworks("audit.webhook_networks", c.Audit.WebhookNetworks, "would let a webhook be this host itself; leave it out to allow public addresses", say)
	for i, s := range c.Audit.Syslog {
		key := indexed("audit.syslog", i)
		for j, other := range c.Audit.Syslog[:i] {
			if s.Name != "" && s.Name == other.Name {
				say(key+".name", "is the name of "+indexed("audit.syslog", j)+" too")
			}
		}
		if s.Name != "" && !federationName.MatchString(s.Name) {
			say(key+".name", "must be 1 to 64 letters, digits, dots, dashes and underscores")
		}
		if host, port, ok := splitAddress(s.Address); s.Address != "" && (!ok || !validHost(host) || !validPort(port)) {
			say(key+".address", "must be host:port")
		}
		if s.Transport != "tls" && s.CA+s.Certificate+s.Key != "" {
			say(key+".transport", "must be tls to use certificates")
		}
		if (s.Certificate == "") != (s.Key == "") {
			say(key+".certificate", "and key go together")
		}
	}
}
