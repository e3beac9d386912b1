"""The application factory: the only place where the parts are put together."""

from __future__ import annotations

from functools import partial

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from . import metrics
from .api import dependencies, docs, health, host_check, problems, request_log
from .api.application import Application
from .api.approles.views import blueprint as approles_blueprint
from .api.audit.views import blueprint as audit_blueprint
from .api.console import pages as console_pages
from .api.folders.views import blueprint as folders_blueprint
from .api.grants.views import blueprint as grants_blueprint
from .api.keys.views import blueprint as keys_blueprint
from .api.kv import door as kv_door
from .api.secrets.delivery import blueprint as delivery_blueprint
from .api.secrets.lifecycle import blueprint as lifecycle_blueprint
from .api.secrets.values import blueprint as secrets_blueprint
from .api.sessions.views import blueprint as sessions_blueprint
from .api.shares.views import blueprint as shares_blueprint
from .api.status.views import blueprint as status_blueprint
from .api.tokens.views import blueprint as tokens_blueprint
from .approles.ending import end_made_by
from .approles.login import Login
from .approles.services import AppRoleServices
from .audit.background import CheckpointThread, RefusalThread
from .audit.checkpointer import Checkpointer, audit_log
from .audit.deliveries import Deliveries
from .audit.recorder import Recorder
from .audit.writer import ChainWriter
from .crypto.keyring import KeyRing
from .exclusive import Exclusive
from .grants.current import CurrentGrants
from .grants.grants import GrantServices
from .keys.canary import KeyRingCheck
from .keys.status import KeyServices
from .keys.wrap_counter import WrapCounter
from .readiness import readiness
from .secrets.folder_defaults import FolderDefaults
from .secrets.services import SecretServices
from .settings import Settings
from .shares.opening import Opener
from .shares.services import ShareServices
from .status import StatusServices
from .store.store import Store
from .tokens.authentication import Authenticator, NoAuthentication
from .tokens.rate_limits import RateLimits
from .tokens.tokens import TokenServices

# What a body may have beside the base64 of the largest secret; also enough for a batch of 100 paths of
# 512 characters.
_BODY_OVERHEAD_BYTES = 65_536

_THREADS = "secret-manager-audit"


def create_app(settings: Settings, *, this_machine_only: bool = False) -> Flask:
    """Return the application; it connects to nothing before its first request.

    Without authentication, it may be for callers on ``this_machine_only``.

    Raises:
        ConfigurationError: the settings are unusable.
    """
    app = Application(__name__)
    app.json = _json(app)
    app.config["MAX_CONTENT_LENGTH"] = -(-settings.max_secret_bytes // 3) * 4 + _BODY_OVERHEAD_BYTES
    # A redirect would make clients repeat a POST, some of them without the body.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False

    init_dependencies(app, settings)
    problems.init_app(app)
    request_log.init_app(app)
    if not settings.auth_required:
        if this_machine_only:
            host_check.init_app(app, settings.allowed_hosts, settings.listen.port)
        else:
            host_check.init_app(app, (*settings.allowed_hosts, settings.listen.host))
    api = docs.init_app(app, serve=settings.docs_enabled)
    for blueprint in (
        secrets_blueprint,
        lifecycle_blueprint,
        delivery_blueprint,
        tokens_blueprint,
        sessions_blueprint,
        folders_blueprint,
        grants_blueprint,
        approles_blueprint,
        keys_blueprint,
        audit_blueprint,
        status_blueprint,
        health.blueprint,
    ):
        api.register_blueprint(blueprint)
    console_pages.init_app(
        app,
        console=settings.console_enabled,
        share=settings.share_enabled,
        authentication=settings.auth_required,
    )
    if settings.share_enabled:
        api.register_blueprint(shares_blueprint)
    if settings.kv_mounts:
        kv_door.init_app(app)
    return app


def background_threads(app: Flask) -> tuple[RefusalThread | CheckpointThread, ...]:
    """Return the threads that write to the audit log, in the order to stop them; none if auditing is off."""
    threads: tuple[RefusalThread | CheckpointThread, ...] = app.extensions[_THREADS]
    return threads


def key_ring(settings: Settings, store: Store) -> KeyRing:
    """Return the key ring of the settings; its wraps are counted in the metrics and in the database."""
    counter = WrapCounter(store.keys)

    def count(key_id: str) -> None:
        counter.count(key_id)
        metrics.key_wraps.labels(key_id).inc()

    return KeyRing(settings.load_master_keys, count)


def _json(app: Flask) -> DefaultJSONProvider:
    """Return Flask's JSON provider, with fields in the order of the documentation."""
    provider = DefaultJSONProvider(app)
    provider.sort_keys = False
    return provider


def init_dependencies(app: Flask, settings: Settings) -> None:
    """Connect the application to its keys and its database, replacing those that it had, if any."""
    operation_timeout = settings.store.mongo_timeout
    store = Store(settings.store.mongo_uri, operation_timeout, settings.store.mongo_tls)
    ring = key_ring(settings, store)
    key_check = KeyRingCheck(store.canaries, store.secrets, ring, store.keys, store.rewrap)
    authenticator = Authenticator(
        store.tokens, store.sessions, store.rate_limits, ring, key_check, settings.auth_failures_per_minute
    )
    log = audit_log(
        store,
        ring,
        settings.store.audit_checkpoint_seconds,
        settings.store.audit_ttl_days,
        settings.store.audit_anchor_dir,
    )
    writer = ChainWriter(store.audit, log.key.keys)
    enabled = settings.audit_enabled
    recorder = Recorder(writer, operation_timeout, enabled=enabled)
    # The second one closes the chain, to which the first one still writes.
    app.extensions[_THREADS] = (
        (
            RefusalThread(recorder, operation_timeout),
            CheckpointThread(log, Checkpointer(log, writer), operation_timeout),
        )
        if enabled
        else ()
    )
    current_grants = CurrentGrants(store.grants, ring, operation_timeout)
    secrets = SecretServices(
        store.secrets,
        store.listing,
        ring,
        key_check,
        settings.max_secret_bytes,
        Deliveries(store.audit, log.key),
        FolderDefaults(store.secrets, ring, key_check),
    )
    end_roles = partial(end_made_by, store.approles, store.secret_ids, ring)
    tokens = TokenServices(store.tokens, store.sessions, ring, key_check, authenticator.forget, end_roles)
    approles = AppRoleServices(store.approles, store.secret_ids, tokens, secrets)
    keys = KeyServices(ring, store.keys, store.rewrap, store.canaries, log.key)
    ready = readiness(store.ping, key_check, log if enabled else None)
    shares = ShareServices(store.shares, secrets, settings.share_max_seconds)
    parts = dependencies.Dependencies(
        secrets=secrets,
        keys=keys,
        tokens=tokens,
        current_grants=current_grants,
        grants=GrantServices(store.grants, ring, key_check, current_grants.forget),
        approles=approles,
        login=Login(approles, authenticator),
        shares=shares,
        opener=Opener(shares, authenticator, RateLimits(store.rate_limits)),
        audit_log=log,
        verification=Exclusive(metrics.shared_folder(), "verification", "the audit log is being verified"),
        authentication=authenticator if settings.auth_required else NoAuthentication(),
        recorder=recorder,
        readiness=ready,
        status=StatusServices(
            ready, log, keys, settings.warnings, settings.auth_required, settings.tls is not None, enabled
        ),
        last_drill=store.drills.last,
        disk_usage=store.disk_usage,
        certificate_expiry=settings.certificate_expiry(),
        trusted_proxies=settings.trusted_proxies,
        metrics_networks=settings.metrics_networks,
        kv_mounts=settings.kv_mounts,
        share_enabled=settings.share_enabled,
        public_url=settings.public_url,
        kv_token_seconds=settings.kv_token_seconds,
        warnings=settings.warnings,
        request_deadline=store.request_deadline,
    )
    dependencies.init_app(app, parts)
