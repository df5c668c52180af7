package load

import (
	"fmt"
	"strings"
)

// What names are put together from. The lists may grow, but what is in them
// stays in its place: a name says which number it has, and a load that goes on
// knows by it what is there already.
var (
	firms = []string{
		"Northwind", "Alder", "Meridian", "Kestrel", "Harbor", "Juniper", "Summit", "Larkspur", "Granite", "Cobalt",
		"Willow", "Beacon", "Aurora", "Sterling", "Quarry", "Fjord", "Marigold", "Tundra", "Verity", "Zephyr",
	}
	trades = []string{
		"Logistics", "Foods", "Health", "Energy", "Insurance", "Robotics", "Textiles", "Media", "Marine", "Analytics", "Rail",
	}
	given = []string{
		"ada", "bruno", "carmen", "dmitri", "elena", "farid", "greta", "hiro", "ines", "jonas", "kavya", "liam", "mei", "nadia", "oscar", "priya",
	}
	families = []string{
		"lindqvist", "okafor", "moreau", "tanaka", "novak", "silva", "haddad", "becker", "rossi", "kim", "iyer", "walsh", "castillo",
	}
	software = []product{
		{"backup-agent", "5.2.1"}, {"terraform-runner", "1.9.4"}, {"monitoring-exporter", "0.31.0"}, {"cost-reporter", "2.4.0"},
		{"ci-deployer", "14.6.2"}, {"inventory-sync", "3.0.7"}, {"dns-controller", "1.1.12"}, {"audit-forwarder", "7.8.3"},
		{"image-builder", "22.4.0"}, {"kubernetes-csi", "1.6.0"}, {"patch-scheduler", "4.4.9"},
	}
)

type product struct{ name, version string }

func pick[T any](list []T, n int) T { return list[n%len(list)] }

// organizationName is the name of the organization with this number.
func organizationName(n int) string {
	return fmt.Sprintf("%s-%s-%d", strings.ToLower(pick(firms, n)), strings.ToLower(pick(trades, n)), n)
}

func displayName(n int) string { return pick(firms, n) + " " + pick(trades, n) + " " + fmt.Sprint(n) }

// organizationNumber is the opposite of organizationName.
func organizationNumber(name string) (n int, ours bool) {
	digits := name[strings.LastIndexByte(name, '-')+1:]
	if _, err := fmt.Sscanf(digits, "%d", &n); err != nil || n < 1 {
		return 0, false
	}
	return n, organizationName(n) == name
}

// person is the login and the full name of the user with this number.
func person(n int) (login, full string) {
	first, last := pick(given, n), pick(families, n)
	login, full = first+"."+last, capital(first)+" "+capital(last)
	if lap := n / (len(given) * len(families)); lap > 0 {
		login += fmt.Sprint(lap + 1)
	}
	return login, full
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
