package tenants

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/goccy/go-yaml"
)

// Right is the name of something a role may allow, as clients spell it.
type Right string

// The rights that routes of this gateway ask for.
const (
	RightAdministratorView     Right = "General: Administrator View"
	RightAdministratorControl  Right = "General: Administrator Control"
	RightOrganizationView      Right = "Organization: View"
	RightOrganizationEdit      Right = "Organization: Edit Properties"
	RightOrganizationCreate    Right = "Organization: Create or Delete"
	RightOrgAssociationsView   Right = "Organization Associations: View"
	RightOrgAssociationsManage Right = "Organization Associations: Manage"
	RightUserView              Right = "Group / User: View"
	RightUserManage            Right = "Group / User: Manage"
	RightRoleView              Right = "Role: View"
	RightRoleManage            Right = "Role: Create, Edit, Delete, or Copy"
	RightRightView             Right = "Right: View"
	RightGlobalRoleView        Right = "Global Role: View"
	RightGlobalRoleEdit        Right = "Global Role: Edit"
	RightBundleView            Right = "Rights Bundle: View"
	RightBundleEdit            Right = "Rights Bundle: Edit"
	RightAccountsView          Right = "Service Accounts: View"
	RightAccountsLimitedView   Right = "Service Accounts: Limited View"
	RightAccountsManage        Right = "Service Accounts: Manage"
	RightTokenManage           Right = "API Tokens: Manage"
	RightTokenManageAll        Right = "API Tokens: Manage All"
	RightSessionView           Right = "Session: View"
	RightSessionManage         Right = "Session: Manage"
	RightQuotaView             Right = "Quota Policy: View"
	RightQuotaManage           Right = "Quota Policy: Manage"
	RightAuditView             Right = "Audit Trail: View"
	RightTaskView              Right = "Task: View Tasks"
	RightTaskControl           Right = "Task: Resume, Abort, or Fail"
	RightSiteView              Right = "Site: View"
	RightSiteManage            Right = "Site: Manage"
)

// RightInfo is a catalog row.
type RightInfo struct {
	Name     Right  `yaml:"name"`
	Kind     string `yaml:"kind"` // VIEW or MODIFY
	Provider bool   `yaml:"provider"`
	// Machine is false for rights that no machine principal ever has (VCD-30…36).
	Machine  *bool  `yaml:"machine"`
	Category string `yaml:"-"`
}

// ForMachines reports whether a service account can ever use the right.
func (r RightInfo) ForMachines() bool { return r.Machine == nil || *r.Machine }

//go:embed rights.yaml
var rightsYAML []byte

// Catalog returns every right in the order of the catalog file. The file is part
// of the binary; that it reads is a property of the build, checked by its test.
var Catalog = sync.OnceValue(func() []RightInfo {
	var groups []struct {
		Category string      `yaml:"category"`
		Rights   []RightInfo `yaml:"rights"`
	}
	if err := yaml.UnmarshalWithOptions(rightsYAML, &groups, yaml.Strict()); err != nil {
		panic(fmt.Sprintf("the embedded catalog of rights: %v", err))
	}
	var all []RightInfo
	for _, g := range groups {
		for _, r := range g.Rights {
			r.Category = g.Category
			all = append(all, r)
		}
	}
	return all
})

var catalogByName = sync.OnceValue(func() map[Right]RightInfo {
	m := map[Right]RightInfo{}
	for _, r := range Catalog() {
		m[r.Name] = r
	}
	return m
})

// LookUpRight finds a right in the catalog.
func LookUpRight(name Right) (RightInfo, bool) {
	r, ok := catalogByName()[name]
	return r, ok
}
