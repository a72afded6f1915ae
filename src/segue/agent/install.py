"""The agent as a service: a unit file for systemd, and what to do with it."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

NAME = "segue-agent.service"

UNIT = """\
[Unit]
Description=Segue agent
Documentation=man:systemd.service(5)
Wants=network-online.target
After=local-fs.target

[Service]
Type=exec
ExecStart={command}
WorkingDirectory={home}
Restart=always
RestartSec=5
# The worker ends by itself when it is asked; the supervisor sees to that.
KillMode=mixed
TimeoutStopSec=40
Nice=5
OOMPolicy=continue
UMask=0077
LimitNOFILE=65536
{hardening}
[Install]
WantedBy={target}
"""

HARDENING = """\
# What the agent does not need. Give it more with `systemctl edit`, such as
# SupplementaryGroups=dialout for serial ports, or ReadWritePaths= for folders that steps write.
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths="{home}"
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
"""


def write_unit(home: Path, *, user: bool = False, python: str = sys.executable) -> str:
    """Return the unit file of an agent.

    The agent does not wait for the network: it collects without one.

    Args:
        home: The node's home.
        user: Whether it is a service of this account: the account's service manager may not
            take rights away.
        python: The interpreter that has segue.

    Example:
        >>> "ProtectSystem=strict" in write_unit(Path("/var/lib/segue"))
        True
    """
    command = [python, "-m", "segue", "agent", "run", "--home", str(home)]
    return UNIT.format(
        # A percent sign begins a specifier of systemd.
        command=shlex.join(command).replace("%", "%%"),
        home=str(home).replace("%", "%%"),
        hardening="" if user else HARDENING.format(home=str(home).replace("%", "%%")),
        target="default.target" if user else "multi-user.target",
    )


def find_unit(*, user: bool = False) -> Path:
    """Return where the unit file belongs."""
    if not user:
        return Path("/etc/systemd/system") / NAME
    settings = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(settings) / "systemd" / "user" / NAME


def next_commands(*, user: bool = False, named: str = "") -> list[tuple[str, str]]:
    """Return what to type after the unit file was written, and what it is for.

    Args:
        user: Whether it is a service of this account.
        named: What names the node's home in commands, if it is not the usual one.
    """
    control = "systemctl --user" if user else "systemctl"
    journal = "journalctl --user" if user else "journalctl"
    commands = [
        (f"{control} daemon-reload", "let systemd read the unit file"),
        (f"{control} enable --now {NAME}", "start it now and with the machine"),
        (f"segue agent status{named}", "look what it does"),
        (f"{journal} --unit {NAME}", "read what it says"),
    ]
    if user:
        commands.insert(0, ("loginctl enable-linger", "let it run while you are not logged in"))
    return commands
