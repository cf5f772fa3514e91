DROP TABLE oidc_codes;
DROP TABLE oidc_flows;
DROP TABLE identity_roles;
DROP TABLE identities;
