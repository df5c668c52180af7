package orgs

import (
	"strconv"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

// The settings that belong to compute and storage behind the gateway, which keeps
// them and enforces none. Their names are the keys of their texts.
var (
	computeBoxes = []computeBox{
		{"canPublishCatalogs", func(s *tenants.OrgSettings) *bool { return &s.CanPublishCatalogs }},
		{"canPublishExternally", func(s *tenants.OrgSettings) *bool { return &s.CanPublishExternally }},
		{"canSubscribe", func(s *tenants.OrgSettings) *bool { return &s.CanSubscribe }},
		{"useServerBootSequence", func(s *tenants.OrgSettings) *bool { return &s.UseServerBootSequence }},
		{"powerOff", func(s *tenants.OrgSettings) *bool { return &s.VAppLease.PowerOffOnRuntimeLeaseExpiry }},
		{"deleteStored", func(s *tenants.OrgSettings) *bool { return &s.VAppLease.DeleteOnStorageExpiration }},
		{"deleteTemplates", func(s *tenants.OrgSettings) *bool { return &s.VAppTemplateLease.DeleteOnStorageExpiration }},
	}
	computeNumbers = []computeNumber{
		{"delayAfterPowerOnSeconds", func(s *tenants.OrgSettings) *int { return &s.DelayAfterPowerOnSeconds }},
		{"deployedVMQuota", func(s *tenants.OrgSettings) *int { return &s.DeployedVMQuota }},
		{"storedVMQuota", func(s *tenants.OrgSettings) *int { return &s.StoredVMQuota }},
		{"runtimeSeconds", func(s *tenants.OrgSettings) *int { return &s.VAppLease.DeploymentSeconds }},
		{"storageSeconds", func(s *tenants.OrgSettings) *int { return &s.VAppLease.StorageSeconds }},
		{"templateSeconds", func(s *tenants.OrgSettings) *int { return &s.VAppTemplateLease.StorageSeconds }},
	}
)

type computeBox struct {
	name string
	of   func(*tenants.OrgSettings) *bool
}

type computeNumber struct {
	name string
	of   func(*tenants.OrgSettings) *int
}

func computeForm(s *ui.Screen, o tenants.Organization) *ui.Form {
	form := &ui.Form{}
	for _, b := range computeBoxes {
		form.Fields = append(form.Fields, ui.Field{Name: b.name, Kind: ui.Box, Label: s.T("settings." + b.name), Checked: *b.of(&o.Settings)})
	}
	for _, n := range computeNumbers {
		form.Fields = append(form.Fields, ui.Field{
			Name: n.name, Kind: ui.Number, Label: s.T("settings." + n.name), Value: strconv.Itoa(*n.of(&o.Settings)), Required: true,
		})
	}
	return form
}

func applyCompute(s *ui.Screen, v ui.Values) (func(*tenants.Organization), error) {
	numbers := make([]int, len(computeNumbers))
	for i, n := range computeNumbers {
		var err error
		if numbers[i], err = strconv.Atoi(v.Text(n.name)); err != nil || numbers[i] < 0 {
			return nil, problem.New(problem.BadRequest, "%s", s.T("settings.notempty")).In(n.name)
		}
	}
	return func(o *tenants.Organization) {
		for _, b := range computeBoxes {
			*b.of(&o.Settings) = v.Is(b.name)
		}
		for i, n := range computeNumbers {
			*n.of(&o.Settings) = numbers[i]
		}
	}, nil
}
