package journal

// Actions are all of this version, those of one subject together.
func Actions() []Action {
	return []Action{
		OrganizationCreated, OrganizationUpdated, OrganizationEnabled, OrganizationDisabled, OrganizationDeleted, OrganizationLimited,
		UserCreated, UserUpdated, UserUnlocked, UserPasswordChanged, UserDeleted, UserTakenOver,
		RoleCreated, RoleUpdated, RoleDeleted,
		GlobalRoleCreated, GlobalRoleUpdated, GlobalRolePublished, GlobalRoleDeleted,
		BundleCreated, BundleUpdated, BundlePublished, BundleDeleted,
		QuotaPolicyCreated, QuotaPolicyUpdated, QuotaPolicyAssigned, QuotaPolicyDeleted,
		AccountCreated, AccountUpdated, AccountRevoked, AccountDeleted, AccountActivated, AccountTakenOver,
		DeviceGranted, DeviceDenied,
		FamilyReplayed, FamilyExpired,
		APITokenCreated, APITokenUpdated, APITokenDeleted,
		SessionEnded,
		SiteUpdated, SiteRestored, WatermarkBegan, WatermarkEnded,
		SiteAssociated, SiteLinkUpdated, SiteLinkStatus, SiteLinkKey, SiteLinkRemoved,
		OrgAssociated, OrgLinkUpdated, OrgLinkStatus, OrgLinkRemoved,
		AppCreated, AppUpdated, AppSecretReplaced, AppSecretRotated, AppRotationEnded, AppDeleted, AppAdded, AppRemoved,
		RolesGranted,
		CustomRoleCreated, CustomRoleUpdated, CustomRoleDeleted,
		DefinitionPut, DefinitionDeleted,
		InstanceCreated, InstanceUpdated, InstanceDeleted,
		InstAccountCreated, InstAccountEnded, InstHookRetried,
		KeyCreated, KeyRetired,
		WebhookCreated, WebhookUpdated, WebhookSecret, WebhookTested, WebhookRedelivered, WebhookDeleted,
		TokenEventsSealed, TokenEventsPurged,
		RefusalsSealed, RefusalsPurged,
	}
}
