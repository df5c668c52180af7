package refusal

import (
	"fmt"

	"causeway/internal/problem"
)

// byInstance explains what was refused in a service instance of an organization.
func byInstance(s Shown) (why, advice []string) {
	f := s.Facts
	name := f[problem.FactInstanceName]
	if name == "" {
		return nil, nil
	}
	switch f[problem.FactReason] {
	case problem.ReasonNoServiceRole:
		return []string{fmt.Sprintf("The caller has no service role in the service %s: none was given, it has ended, or the owner of the app does not allow it. Custom roles count only beside one.", name)},
			[]string{"An Organization Owner or Administrator can give one, Viewer at the least.", "What an app can be given, its owner says in the app's allowed scopes."}
	case problem.ReasonPermission:
		return []string{fmt.Sprintf("The call needs the permission %s, which no role of the caller in the service %s has.", f[problem.FactPermission], name)},
			[]string{"An Organization Owner or Administrator can give a service role that has it, or a custom role."}
	case problem.ReasonMachine:
		return []string{fmt.Sprintf("The call is one of the tasks that people have by default in the service %s; apps have none of them.", name)}, nil
	case problem.ReasonOriginal:
		return []string{fmt.Sprintf("The service %s is an original subscription, which takes no tokens of server-to-server apps.", name)},
			[]string{"Use a service account of the service itself."}
	case problem.ReasonNoRouteRight:
		return []string{fmt.Sprintf("The definition of the service %s has no route for the call, and so nobody may make it through the gateway.", name)},
			[]string{"The provider can add a route to the service definition, if it is not one that ships with the gateway."}
	}
	return nil, nil
}
