"""English strings of logging in, and of what people do to work orders."""

from typing import Final

ACCESS_ENGLISH: Final[dict[str, str]] = {
    "page.account": "Account",
    "account.nobody": "You look at the line **as a viewer**. To acknowledge, assign and finish work orders, log"
    " in.",
    "account.somebody": "Logged in as **{name}**, role **{role}**.",
    "account.no_file": "This dashboard has no user file, so nobody can log in. `millsight user add NAME --role"
    " operator`"
    " makes one for the local line; `DASHBOARD_ACCESS__USERS_FILE` names another.",
    "account.name": "Name",
    "account.password": "Password",
    "account.log_in": "Log in",
    "account.log_out": "Log out",
    "account.provider": "Log in with the plant's account",
    "account.wrong": "**Name or password is wrong.**",
    "account.wait": "**Too many wrong tries.** Try again in {wait}.",
    "account.roles": "A viewer sees everything. An operator also moves work orders on. An engineer also answers"
    " for the"
    " model.",
    "account.language": "Language",
    "metric.account_role": "Your role",
    "help.account_role": "What you may do here; `millsight user set-role` changes it.",
    "metric.account_people": "People with a login",
    "help.account_people": "Entries of the local user file.",
    "role.viewer": "viewer",
    "role.operator": "operator",
    "role.engineer": "engineer",
    "act.heading": "Do something about it",
    "act.log_in": "Log in on the page *Account* as an operator to acknowledge, assign, start, finish or reject"
    " this order, or to write something down.",
    "act.remark": "Comment",
    "act.to": "Assign to",
    "act.cause": "Cause found",
    "act.worked": "Did the repair work?",
    "act.worked.later": "not known yet",
    "act.worked.verified": "yes",
    "act.worked.no_change": "no change",
    "act.acknowledge": "Acknowledge",
    "act.assign": "Assign",
    "act.start": "Start work",
    "act.done": "Done",
    "act.reject": "Reject",
    "act.comment": "Write down",
    "act.feedback": "Say whether it worked",
    "act.reject_needs": "Say under *Cause found* why it is rejected.",
    "act.done_so": "{order} is now {state}.",
    "act.written": "Written down on {order}.",
    "act.refused": "**Not done.** {reason}",
    "act.not_allowed": "**Not done.** This needs the role {role}.",
}
