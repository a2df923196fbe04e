/* rules.h: the checks behind the table in rules.c. Each looks at the whole
 * diagnosis (compose file, brokers, clients) and adds what it finds with
 * finding_add, under its own row's id or, where one look tells several rules
 * apart, under those of the rows beside it. */
#ifndef TALLY_DOCTOR_RULES_H
#define TALLY_DOCTOR_RULES_H

#include "cluster/doctor/finding.h"

/* Before the rules: the clients, which they ask about. After them: the table
 * of what works from where. Both in reach's files. */
void clients_find(struct diagnosis *diagnosis);
void vantages_find(struct diagnosis *diagnosis);
/* Free what those two put into the diagnosis. */
void clients_free(struct diagnosis *diagnosis);
void vantages_free(struct diagnosis *diagnosis);

/* A broker refuses to start: its listeners (rules_start.c), its part in KRaft
 * (rules_start_kraft.c), its image's demands (rules_start_image.c). */
void check_parse(struct diagnosis *diagnosis);
void check_names(struct diagnosis *diagnosis);
void check_ports(struct diagnosis *diagnosis);
void check_subset(struct diagnosis *diagnosis);
void check_wildcard(struct diagnosis *diagnosis);
void check_bind(struct diagnosis *diagnosis);
void check_map(struct diagnosis *diagnosis);
void check_protocols(struct diagnosis *diagnosis);
void check_inter_broker(struct diagnosis *diagnosis);
void check_inter_broker_both(struct diagnosis *diagnosis);
void check_roles(struct diagnosis *diagnosis);
void check_controller_advertised(struct diagnosis *diagnosis);
void check_controller_listener(struct diagnosis *diagnosis);
void check_voters(struct diagnosis *diagnosis);
void check_image(struct diagnosis *diagnosis);
void check_deprecated(struct diagnosis *diagnosis);

/* It starts, and clients fail (rules_client.c, rules_reach.c). */
void check_clients(struct diagnosis *diagnosis);
void check_advertised(struct diagnosis *diagnosis);
void check_binding(struct diagnosis *diagnosis);
void check_brokers(struct diagnosis *diagnosis);
void check_claims(struct diagnosis *diagnosis);

/* It depends on what is outside the files (rules_outside.c). */
void check_unset(struct diagnosis *diagnosis);
void check_config_file(struct diagnosis *diagnosis);
void check_fragment(struct diagnosis *diagnosis);
void check_typo(struct diagnosis *diagnosis);
void check_legacy(struct diagnosis *diagnosis);

#endif
