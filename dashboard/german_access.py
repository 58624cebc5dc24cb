"""German strings of logging in and of actions."""

from typing import Final

ACCESS_GERMAN: Final[dict[str, str]] = {
    "page.account": "Konto",
    "account.nobody": "Sie sehen die Linie **als Betrachter**. Um Aufträge zu bestätigen, zuzuweisen und"
    " abzuschließen, melden Sie sich an.",
    "account.somebody": "Angemeldet als **{name}**, Rolle **{role}**.",
    "account.no_file": "Dieses Dashboard hat keine Benutzerdatei, also kann sich niemand anmelden. `millsight"
    " user add NAME --role operator` legt eine für die Linie hier an; `DASHBOARD_ACCESS__USERS_FILE` nennt"
    " eine andere.",
    "account.name": "Name",
    "account.password": "Passwort",
    "account.log_in": "Anmelden",
    "account.log_out": "Abmelden",
    "account.provider": "Mit dem Werkskonto anmelden",
    "account.wrong": "**Name oder Passwort ist falsch.**",
    "account.wait": "**Zu viele falsche Versuche.** Versuchen Sie es in {wait} wieder.",
    "account.roles": "Ein Betrachter sieht alles. Ein Bediener bringt auch Aufträge voran. Ein Ingenieur"
    " verantwortet auch das Modell.",
    "account.language": "Sprache",
    "metric.account_role": "Ihre Rolle",
    "help.account_role": "Was Sie hier dürfen; `millsight user set-role` ändert es.",
    "metric.account_people": "Personen mit Anmeldung",
    "help.account_people": "Einträge der lokalen Benutzerdatei.",
    "role.viewer": "Betrachter",
    "role.operator": "Bediener",
    "role.engineer": "Ingenieur",
    "act.heading": "Etwas unternehmen",
    "act.log_in": "Melden Sie sich auf der Seite *Konto* als Bediener an, um diesen Auftrag zu bestätigen,"
    " zuzuweisen, zu beginnen, abzuschließen, abzulehnen oder etwas zu notieren.",
    "act.remark": "Bemerkung",
    "act.to": "Zuweisen an",
    "act.cause": "Gefundene Ursache",
    "act.worked": "Hat die Reparatur gewirkt?",
    "act.worked.later": "noch nicht bekannt",
    "act.worked.verified": "ja",
    "act.worked.no_change": "keine Änderung",
    "act.acknowledge": "Bestätigen",
    "act.assign": "Zuweisen",
    "act.start": "Arbeit beginnen",
    "act.done": "Erledigt",
    "act.reject": "Ablehnen",
    "act.comment": "Notieren",
    "act.feedback": "Wirkung angeben",
    "act.reject_needs": "Sagen Sie unter *Gefundene Ursache*, warum abgelehnt wird.",
    "act.done_so": "{order} ist jetzt {state}.",
    "act.written": "Notiert bei {order}.",
    "act.refused": "**Nicht ausgeführt.** {reason}",
    "act.not_allowed": "**Nicht ausgeführt.** Dafür braucht es die Rolle {role}.",
}
