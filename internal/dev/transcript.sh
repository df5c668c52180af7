# An app gets an identity, works at its own site, and crosses to the other.
CA='{{.CA}}'; WEST={{.West.API}}; APP=exampleServiceAccount-$$
call() { curl -sS --cacert "$CA" "$@"; echo; }
field() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }

# 1. The administrator of acme logs in and creates a service account: status CREATED.
ADMIN=$(curl -sS --cacert "$CA" -D - -o /dev/null -X POST -u '{{.Acme.Admin.User}}@acme:{{.Acme.Admin.Password}}' $WEST/cloudapi/1.0.0/sessions | tr -d '\r' | grep -i '^x-vmware-vcloud-access-token:' | cut -d ' ' -f 2)
call -H "Authorization: Bearer $ADMIN" -d '{"client_name":"'$APP'","software_id":"bc2528fd-35c4-44e5-a55d-62e5c4bd9c99","scope":"urn:vcloud:role:Inventory%20Operator","client_uri":"","software_version":"1.0"}' $WEST/oauth/tenant/acme/register

# 2. inventory-bot was created the same way, at both sites. Without credentials it asks for access, and polls.
BOT=$(call -H "Authorization: Bearer $ADMIN" "$WEST/cloudapi/1.0.0/serviceAccounts?filter=name==inventory-bot" | field id); CLIENT=${BOT##*:}
DEVICE=$(call -d client_id=$CLIENT $WEST/oauth/tenant/acme/device_authorization); echo "$DEVICE"
poll() { call -d client_id=$CLIENT -d grant_type=urn:ietf:params:oauth:grant-type:device_code -d device_code=$(echo "$DEVICE" | field device_code) $WEST/oauth/tenant/acme/token; }
poll

# 3. The administrator types the user code, sees who asks for what, and grants.
CODE='{"userCode":"'$(echo "$DEVICE" | field user_code)'"}'
call -H "Authorization: Bearer $ADMIN" -d "$CODE" $WEST/cloudapi/1.0.0/deviceLookup
call -H "Authorization: Bearer $ADMIN" -d "$CODE" -w '%{http_code}' $WEST/cloudapi/1.0.0/deviceLookup/grant

# 4. The app fetches its tokens and calls the service behind its own site.
TOKENS=$(poll); echo "$TOKENS"; FIRST=$(echo "$TOKENS" | field refresh_token)
call -H "Authorization: Bearer $(echo "$TOKENS" | field access_token)" $WEST/sample/inventory

# 5. It refreshes: the token rotates. A lost answer costs nothing: the spent token gives the same successor again.
refresh() { call -d grant_type=refresh_token -d refresh_token=$1 $WEST/oauth/tenant/acme/token; }
SECOND=$(refresh $FIRST | field refresh_token); AGAIN=$(refresh $FIRST | field refresh_token); echo "$SECOND $AGAIN"
TOKENS=$(refresh $SECOND); ACCESS=$(echo "$TOKENS" | field access_token); echo "$TOKENS"

# 6. With one header the same call is fulfilled by the other site, under that site's account and role.
call -H "Authorization: Bearer $ACCESS" -H 'X-VMWARE-VCLOUD-AUTH-CONTEXT: acme-labs' $WEST/sample/inventory
call -H "Authorization: Bearer $ACCESS" -H 'X-VMWARE-VCLOUD-TENANT-CONTEXT: {{uuid .EastAcme.ID}}' $WEST/sample/audit
call -H "Authorization: Bearer $ACCESS" $WEST/sample/audit
call -H "Authorization: Bearer $ACCESS" -X POST $WEST/sample/reservations
call -H "Authorization: Bearer $ACCESS" -H 'X-VMWARE-VCLOUD-AUTH-CONTEXT: acme' -H 'X-VMWARE-VCLOUD-TENANT-CONTEXT: {{uuid .EastAcme.ID}}' -X POST $WEST/sample/reservations

# 7. An organization that is not associated does not exist for the app.
call -H "Authorization: Bearer $ACCESS" -H 'X-VMWARE-VCLOUD-AUTH-CONTEXT: globex' $WEST/sample/inventory

# 8. The administrator revokes the token: the session is dead at both sites at once.
call -H "Authorization: Bearer $ADMIN" -X POST -w '%{http_code}' $WEST/cloudapi/1.0.0/serviceAccounts/$BOT/revoke
call -H "Authorization: Bearer $ACCESS" -H 'X-VMWARE-VCLOUD-AUTH-CONTEXT: acme-labs' $WEST/sample/inventory
