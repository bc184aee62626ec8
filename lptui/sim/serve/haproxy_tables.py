"""The tables that HAProxy 2.6 prints: `show info`, `show stat`, `show servers state`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.sim.world.balancer import FORCED_MAINT, Backend, BackendServer, Frontend, HaproxyProcess
from lptui.sim.world.world import World

_COLUMNS: Final = (
    "pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,"
    "status,weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,"
    "tracked,type,rate,rate_lim,rate_max,check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,"
    "hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,hanafail,req_rate,req_rate_max,req_tot,cli_abrt,"
    "srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,ctime,rtime,"
    "ttime,agent_status,agent_code,agent_duration,check_desc,agent_desc,check_rise,check_fall,"
    "check_health,agent_rise,agent_fall,agent_health,addr,cookie,mode,algo,conn_rate,"
    "conn_rate_max,conn_tot,intercepted,dcon,dses,wrew,connect,reuse,cache_lookups,cache_hits,"
    "srv_icur,src_ilim,qtime_max,ctime_max,rtime_max,ttime_max,eint,idle_conn_cur,safe_conn_cur,"
    "used_conn_cur,need_conn_est,uweight,agg_server_status,agg_server_check_status,"
    "agg_check_status,-,ssl_sess,ssl_reused_sess,h2_headers_rcvd,h2_data_rcvd"
)
STAT_COLUMNS: Final = tuple(_COLUMNS.split(","))
STATE_HEADER: Final = (
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight"
    " srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state"
    " srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl"
    " srv_check_port srv_check_addr srv_agent_addr srv_agent_port"
)
FRONTEND, BACKEND, SERVER = 1, 2, 4
_FIRST_BACKEND: Final = 10

Row = dict[str, object]


def show_info(world: World, balancer: HaproxyProcess) -> str:
    uptime = max(1, int(world.now - balancer.started))
    sessions = sum(frontend.sessions for frontend in balancer.frontends)
    days, rest = divmod(uptime, 86_400)
    pairs = (
        ("Name", "HAProxy"),
        ("Version", world.say(balancer.version)),
        ("Release_date", "2025/04/22"),
        ("Nbthread", 4),
        ("Process_num", 1),
        ("Pid", balancer.pid),
        ("Uptime", f"{days}d {rest // 3600}h{rest % 3600 // 60:02d}m{rest % 60:02d}s"),
        ("Uptime_sec", uptime),
        ("Memmax_MB", 0),
        ("Ulimit-n", 8040),
        ("Maxsock", 8040),
        ("Maxconn", 4000),
        ("CurrConns", sessions + 1),
        ("CumConns", sum(frontend.total for frontend in balancer.frontends)),
        ("Idle_pct", 98),
        ("node", world.say(balancer.host)),
        ("Stopping", 0),
        ("Jobs", sessions + 9),
        ("Unstoppable Jobs", 1),
        ("Listeners", 3),
        ("Start_time_sec", int(balancer.started)),
        ("Tainted", 0),
        ("TotalWarnings", 0),
    )
    return "\n".join(f"{name}: {value}" for name, value in pairs)


def show_stat(world: World, balancer: HaproxyProcess, *, only: str, kinds: int) -> str:
    """The CSV table; `kinds` is the mask of frontends 1, backends 2, servers 4."""
    lines = ["# " + ",".join(STAT_COLUMNS) + ","]
    for row in _rows(world, balancer, kinds):
        if only and row["pxname"] != only:
            continue
        lines.append(",".join(_quoted(row.get(column, "")) for column in STAT_COLUMNS) + ",")
    return "\n".join(lines)


def _quoted(value: object) -> str:
    """A field as HAProxy quotes it: only where it has to."""
    text = str(value)
    if any(char in text for char in ',"\n'):
        return '"' + text.replace('"', '""').replace("\n", " ") + '"'
    return text


def _rows(world: World, balancer: HaproxyProcess, kinds: int) -> Iterator[Row]:
    admin = balancer.level != "user"
    for number, frontend in enumerate(balancer.frontends):
        if kinds & FRONTEND:
            yield _frontend(frontend, number + 2, admin=admin)
    for number, backend in enumerate(balancer.backends):
        proxy = number + _FIRST_BACKEND
        if kinds & SERVER:
            for place, server in enumerate(backend.servers):
                yield _server(world, backend, server, proxy, place + 1, admin=admin)
        if kinds & BACKEND:
            yield _backend(world, backend, proxy, admin=admin)


def _frontend(frontend: Frontend, iid: int, *, admin: bool) -> Row:
    return {
        "pxname": frontend.name,
        "svname": "FRONTEND",
        "scur": frontend.sessions,
        "smax": frontend.sessions + 12,
        "slim": 4000,
        "stot": frontend.total,
        "dreq": 0,
        "dresp": 0,
        "ereq": 2,
        "status": "OPEN",
        "pid": 1,
        "iid": iid,
        "sid": 0,
        "type": 0,
        "rate": frontend.rate,
        "rate_lim": 0,
        "rate_max": 40,
        "mode": frontend.mode,
        "conn_rate": frontend.rate,
        "conn_tot": frontend.total,
        "dcon": 0,
        "dses": 0,
        "addr": f"{frontend.address}:{frontend.port}" if admin else "",
    }


def _server(
    world: World, backend: Backend, server: BackendServer, iid: int, sid: int, *, admin: bool
) -> Row:
    maintained = bool(server.admin & FORCED_MAINT)
    return {
        "pxname": backend.name,
        "svname": server.name,
        "qcur": 0,
        "qmax": 0,
        "scur": server.sessions,
        "smax": server.sessions + 9,
        "slim": "",
        "stot": server.total,
        "bin": server.bytes_in,
        "bout": server.bytes_out,
        "dresp": 0,
        "econ": server.connect_errors,
        "eresp": server.response_errors,
        "wretr": server.connect_errors,
        "wredis": 0,
        "status": server.status,
        "weight": server.weight,
        "act": int(not server.backup),
        "bck": int(server.backup),
        "chkfail": server.check_failures,
        "chkdown": int(not server.healthy),
        "lastchg": max(0, int(world.now - server.changed)),
        "downtime": 0,
        "pid": 1,
        "iid": iid,
        "sid": sid,
        "lbtot": server.total,
        "type": 2,
        "rate": 0,
        "rate_max": 6,
        "check_status": "" if maintained else server.check_status,
        "check_code": "",
        "check_duration": "" if maintained else 1,
        "cli_abrt": 3,
        "srv_abrt": 0,
        "lastsess": 1,
        "last_chk": world.say(server.check_detail),
        "qtime": 0,
        "ctime": 1,
        "rtime": 0,
        "ttime": 41_022,
        "check_desc": world.say(_check_words(server.check_status)),
        "check_rise": 2,
        "check_fall": 3,
        "check_health": server.health,
        "addr": f"{server.address}:{server.port}" if admin else "",
        "mode": backend.mode,
        "srv_icur": 0,
        "eint": 0,
        "idle_conn_cur": 0,
        "safe_conn_cur": 0,
        "used_conn_cur": 0,
        "need_conn_est": 0,
        "uweight": server.weight,
    }


def _check_words(status: str) -> str:
    return {
        "L4OK": "Layer4 check passed",
        "L4CON": "Layer4 connection problem",
        "L4TOUT": "Layer4 timeout",
    }.get(status, "")


def _backend(world: World, backend: Backend, iid: int, *, admin: bool) -> Row:
    serving = backend.serving
    return {
        "pxname": backend.name,
        "svname": "BACKEND",
        "qcur": 0,
        "qmax": 0,
        "scur": sum(server.sessions for server in backend.servers),
        "smax": sum(server.sessions for server in backend.servers) + 12,
        "slim": 400,
        "stot": sum(server.total for server in backend.servers),
        "dreq": 0,
        "dresp": 0,
        "econ": sum(server.connect_errors for server in backend.servers),
        "eresp": sum(server.response_errors for server in backend.servers),
        "wretr": 0,
        "wredis": 0,
        "status": "UP" if serving else "DOWN",
        "weight": sum(server.weight for server in serving),
        "act": sum(1 for server in serving if not server.backup),
        "bck": sum(1 for server in backend.servers if server.takes_traffic and server.backup),
        "chkdown": 0,
        "lastchg": max(0, int(world.now - min((s.changed for s in backend.servers), default=0))),
        "downtime": 0,
        "pid": 1,
        "iid": iid,
        "sid": 0,
        "lbtot": sum(server.total for server in backend.servers),
        "type": 1,
        "rate": 0,
        "rate_max": 9,
        "lastsess": 1,
        "mode": backend.mode,
        "algo": backend.algorithm if admin else "",
        "uweight": sum(server.weight for server in serving),
    }


def servers_state(world: World, balancer: HaproxyProcess, *, only: str) -> str:
    """Admin state and health apart, as numbers."""
    lines = ["1", STATE_HEADER]
    for number, backend in enumerate(balancer.backends):
        if only and backend.name != only:
            continue
        for place, server in enumerate(backend.servers):
            since = max(0, int(world.now - server.changed))
            checking = 14 if server.admin & FORCED_MAINT else 6
            lines.append(
                f"{number + _FIRST_BACKEND} {backend.name} {place + 1} {server.name}"
                f" {server.address} {server.operational} {server.admin} {server.weight}"
                f" {server.initial_weight} {since} {6 if server.healthy else 8}"
                f" {3 if server.healthy else 2} {server.health} {checking} 0 0 0 -"
                f" {server.port} - 0 0 - - 0"
            )
    return "\n".join(lines)
