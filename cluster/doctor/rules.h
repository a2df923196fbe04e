/* rules.h: the checks behind the table in rules.c. Each looks at the whole
 * diagnosis (compose file, brokers, clients) and adds what it finds with
 * finding_add, under its own row's id or, where one look tells several rules
 * apart, under those of the rows beside it. */
#ifndef TALLY_DOCTOR_RULES_H
#define TALLY_DOCTOR_RULES_H

#include "cluster/doctor/finding.h"

typedef void rule_check(struct diagnosis *diagnosis);

/* Before the rules: the clients, which they ask about. After them: the table
 * of what works from where. Both in reach's files. */
void clients_find(struct diagnosis *diagnosis);
void vantages_find(struct diagnosis *diagnosis);
/* Free what those two put into the diagnosis. */
void clients_free(struct diagnosis *diagnosis);
void vantages_free(struct diagnosis *diagnosis);

/* A broker refuses to start: its listeners (rules_start.c) and their protocols
 * (rules_start_protocols.c), its part in KRaft (rules_start_kraft.c), ids (rules_start_ids.c),
 * its image's demands (rules_start_image.c). */
rule_check check_parse, check_names, check_ports, check_subset, check_wildcard, check_bind,
    check_map, check_protocols, check_inter_broker, check_inter_broker_both, check_roles,
    check_controller_advertised, check_controller_listener, check_voters, check_cluster_id,
    check_ids, check_image, check_deprecated;

/* It ends without its ZooKeeper (rules_zookeeper.c), or without controllers (rules_quorum.c). */
rule_check check_zookeeper, check_quorum;

/* It starts, and clients fail (rules_client.c, rules_reach.c). */
rule_check check_clients, check_advertised, check_binding, check_brokers, check_claims;

/* It depends on what is outside the files (rules_outside.c). */
rule_check check_unset, check_config_file, check_fragment, check_typo, check_legacy;

#endif
