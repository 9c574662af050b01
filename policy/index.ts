// The policy pack: pulumi up --policy-pack policy
import { PolicyPack } from "@pulumi/policy";
import { packPolicies } from "./pack-policies.ts";

new PolicyPack("redis-ha", { enforcementLevel: "mandatory", policies: packPolicies() });
