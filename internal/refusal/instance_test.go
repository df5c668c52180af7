package refusal_test

import (
	"strings"
	"testing"

	"causeway/internal/problem"
	"causeway/internal/refusal"
)

// Each refusal in an instance has an explanation of its own, which names the service.
func TestExplain_CSP_8_RefusalsInInstances(t *testing.T) {
	said := map[string]string{}
	for _, reason := range []string{
		problem.ReasonNoServiceRole, problem.ReasonPermission, problem.ReasonMachine, problem.ReasonOriginal, problem.ReasonNoRouteRight,
	} {
		e := refusal.Explain(shown(problem.Forbidden, robot, problem.FactReason, reason, problem.FactInstanceName, "observability", problem.FactPermission, "aoa:metrics"))
		if len(e.Why) != 1 || !strings.Contains(e.Why[0], "observability") || said[e.Why[0]] != "" {
			t.Errorf("%s is explained by %q", reason, e.Why)
			continue
		}
		said[e.Why[0]] = reason
		if reason == problem.ReasonPermission && !strings.Contains(e.Why[0], "aoa:metrics") {
			t.Errorf("no word of the permission in %q", e.Why)
		}
	}
}
