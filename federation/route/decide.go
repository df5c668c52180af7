package route

import (
	"causeway/internal/problem"
	"causeway/tenants"
)

// Decide is the routing table. Rows 0 to 8 choose, the first that matches; rows
// 9 to 11 then judge a choice that would leave the site.
func Decide(in Input) Decision {
	ctx, err := readContext(in.AuthContext, in.TenantContext)
	if err != nil {
		return refuse(RowMalformed, problem.As(err))
	}
	if in.Forwarded {
		return forwarded(in, ctx)
	}
	d := choose(in, ctx)
	if d.Kind == Peer {
		return admit(in, d)
	}
	return d
}

// forwarded is row 0. A peer's request is answered here or not at all: sending
// it on would let one site speak for a third, and make loops possible.
func forwarded(in Input, ctx contexts) Decision {
	if in.ViaSelf {
		return refuse(RowLoop, problem.New(problem.LoopDetected, "This request has passed through this site before."))
	}
	name, ok := in.View.LocalOrg(in.Dst)
	here := target{tenants.LocationID{Org: in.Dst, Site: in.Self}, name}
	if !ok && in.Session.Provider && in.Dst != tenants.SystemOrgID {
		return unknown(RowForwarded) // their provider named a tenant that we do not have
	}
	if !ok || !ctx.agreesWith(here) {
		return refuse(RowForwarded, problem.New(problem.Misdirected, "The requested organization is not at this site."))
	}
	return here.decide(RowForwarded, in.Self)
}

// choose is rows 1 to 8.
func choose(in Input, ctx contexts) Decision {
	own := target{tenants.LocationID{Org: in.Session.Org, Site: in.Self}, in.Session.OrgName}
	reach := reachable{in}
	if !ctx.hasAuth && !ctx.hasTenant {
		return own.decide(RowNoContext, in.Self)
	}
	if ctx.hasTenant {
		// Reach comes before the comparison of names: otherwise a 400 would tell
		// that an organization exists and how it is not called.
		if t, ok := reach.local(ctx.tenant); ok {
			return ctx.agreed(t, RowLocalTenant, in.Self)
		}
	}
	if ctx.isLocation {
		if l, ok := ctx.tenantAt(in.Session); ok {
			ctx.location = l
		}
		if t, ok := reach.location(ctx.location); ok {
			return ctx.agreed(t, RowLocation, in.Self)
		}
		if t, ok := reach.tenantOf(ctx.location); ok {
			return ctx.agreed(t, RowTheirTenant, in.Self)
		}
		return unknown(RowUnknownName)
	}
	if ctx.hasTenant {
		return remoteTenant(in, ctx, reach)
	}
	if ctx.name == tenants.FoldName(in.Session.OrgName) {
		return own.decide(RowOwnName, in.Self)
	}
	return byName(in, reach.named(ctx.name))
}

// remoteTenant is rows 4 and 4b.
func remoteTenant(in Input, ctx contexts, reach reachable) Decision {
	switch found := reach.remotes(ctx.tenant); len(found) {
	case 0:
		return unknown(RowUnknownTenant)
	case 1:
		return ctx.agreed(found[0], RowRemoteTenant, in.Self)
	default:
		// One identifier at two sites: a restored copy, or somebody's claim.
		return ambiguous(found)
	}
}

// byName is rows 6 to 8.
func byName(in Input, found []target) Decision {
	switch len(found) {
	case 0:
		return unknown(RowUnknownName)
	case 1:
		return found[0].decide(RowByName, in.Self)
	default:
		return ambiguous(found)
	}
}
