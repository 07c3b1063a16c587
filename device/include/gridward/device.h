/* The handheld's side of Gridward: capture, outbox, sync. A C ABI, so that a maker can call it from C, C++, Java or
 * Kotlin (NDK) and replace the ports (clock, position, camera, battery, random, transport).
 *
 * Threads: a gw_device belongs to one thread at a time; the caller sees to that. gw_device_wake and gw_device_stop may
 * be called from any thread and from a signal handler. Several processes, or several handles of one process, may have
 * the same data folder open at once: each appends, one of them (the agent) sends. Callbacks run on the thread that is
 * inside a gw_device_… call, except gw_ports.wake, which comes from any thread and may do nothing but note it.
 * A callback must not call back into the same gw_device. What a transport tells through gw_link comes from any thread.
 *
 * Text is UTF-8. A returned pointer is the library's and lives until the next call with the same handle. Every
 * structure begins with struct_size = sizeof(the structure), so that later versions can add members behind: a caller
 * compiled with an older header goes on working with a newer library. A structure whose size was not set is refused
 * (GW_E_OUT_OF_RANGE, "gw_….struct_size") before anything is done, a null handle with GW_E_MISSING_FIELD. The elements
 * of one array have the same size. A caller may compare gw_device_abi() with GW_DEVICE_ABI. */
#ifndef GRIDWARD_DEVICE_H
#define GRIDWARD_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define GW_API __attribute__((visibility("default")))
#else
#define GW_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when a function or a structure changes in a way that breaks a caller. */
#define GW_DEVICE_ABI 1

/* The protocol's own error numbers (docs/errors.md); 0 is success. Numbers that are not named here may come, too. */
typedef enum gw_status {
  GW_OK = 0,
  GW_E_MALFORMED = 1001,
  GW_E_TOO_LARGE = 1002,
  GW_E_MISSING_FIELD = 1004,
  GW_E_BAD_TYPE = 1005,
  GW_E_OUT_OF_RANGE = 1006,
  GW_E_BAD_UTF8 = 1007,
  GW_E_UNKNOWN_TASK = 1109,
  GW_E_MEDIA_TYPE = 1202,
  GW_E_MEDIA_LIMITS = 1206,
  GW_E_NOT_FOUND = 3001,
  GW_E_ILLEGAL_TRANSITION = 3002,
  GW_E_ALREADY_EXISTS = 3004,
  GW_E_STORAGE_FAILED = 4002,
  GW_E_NEWER_DATABASE = 4003,
  GW_E_CONFIG_INVALID = 4004,
  GW_E_UNAVAILABLE = 4006, /* another agent has this data folder, or the network library failed */
  GW_E_OUTBOX_FULL = 5001,
  GW_E_NOT_ON_DUTY = 5002,
  GW_E_CAMERA_FAILED = 5003,
  GW_E_POSITION_UNAVAILABLE = 5004,
  GW_E_NOT_ENROLLED = 5005, /* no outbox or no key yet: gw_device_init first */
  GW_E_ALREADY_ON_DUTY = 5006,
  GW_E_INTERNAL = 9001
} gw_status;

typedef enum gw_lang { GW_LANG_ZH = 0, GW_LANG_EN = 1 } gw_lang;
typedef enum gw_sign_act { GW_SIGN_IN = 0, GW_SIGN_OUT = 1 } gw_sign_act;
typedef enum gw_outcome { GW_CONFIRMED = 0, GW_NOT_RECTIFIED = 1, GW_CANNOT_CHECK = 2 } gw_outcome;
typedef enum gw_media_role { GW_SCENE = 0, GW_BEFORE = 1, GW_AFTER = 2, GW_SELFIE = 3, GW_SCAN = 4 } gw_media_role;
typedef enum gw_fix_source { GW_FIX_GNSS = 0, GW_FIX_NETWORK = 1, GW_FIX_MANUAL = 2 } gw_fix_source;
typedef enum gw_datum { GW_WGS84 = 0, GW_GCJ02 = 1 } gw_datum;
typedef enum gw_task_state { GW_TASK_OPEN = 0, GW_TASK_DONE = 1, GW_TASK_CANCELLED = 2 } gw_task_state;

typedef enum gw_agent_state { GW_AGENT_NONE = 0, GW_AGENT_OFFLINE = 1, GW_AGENT_CONNECTED = 2 } gw_agent_state;

typedef struct gw_device gw_device;

typedef struct gw_fix {
  size_t struct_size;
  int32_t lat_e7; /* WGS-84, 1e-7 degrees, whatever `datum` says the client read */
  int32_t lon_e7;
  uint32_t accuracy_cm; /* 1 sigma; 0: unknown */
  int64_t at_ms;        /* the receiver's own time, Unix ms UTC; 0: unknown */
  int64_t mono_ms;      /* gw_ports.mono_ms when it was received; 0: not known, then at_ms is told but sets no clock */
  int32_t source;       /* gw_fix_source */
  int32_t datum;        /* gw_datum */
  int32_t mock;         /* not 0: the system says that the position is made up */
} gw_fix;

typedef enum gw_event_kind {
  GW_EVENT_CONNECTED = 1,
  GW_EVENT_DISCONNECTED = 2,   /* text: why */
  GW_EVENT_RECEIPTED = 3,      /* id: the record */
  GW_EVENT_REFUSED = 4,        /* id: the record; code, text: the server's reason */
  GW_EVENT_MEDIA_DONE = 5,     /* id: sha256 in hex */
  GW_EVENT_MEDIA_REFUSED = 6,  /* id: sha256 in hex; code */
  GW_EVENT_DOWN = 7,           /* id: kind; text: JSON body; number: n. Already stored. */
  GW_EVENT_LINK_REFUSED = 8,   /* the broker refuses what is published; code: MQTT 5 reason code */
  GW_EVENT_BUSY = 9,           /* number: ms the server asked to wait */
  GW_EVENT_TASK_REOPENED = 10, /* id: the task whose answer was refused; code, text: the server's reason */
  GW_EVENT_POINT_DROPPED = 11, /* text: why; the first of a row of track points that the wire does not take */
  GW_EVENT_STORAGE_FAILED = 12 /* code: gw_status; text: why. The agent begins anew by itself; see gw_device_step. */
} gw_event_kind;

typedef struct gw_event {
  size_t struct_size;
  int32_t kind; /* gw_event_kind */
  int32_t code;
  const char* id;
  const char* text;
  uint64_t number;
  const char* store; /* DOWN: the generation of the server's store that gave the item its number, a UUID; after a
                      * restore the numbers begin anew. Empty: not heard yet. */
} gw_event;

struct gw_transport;

/* What a maker may replace. A null member: the library's own for Linux (system clocks, gpsd, the camera program of the
 * configuration, /sys/class/power_supply, getrandom, MQTT 5 over TCP). */
typedef struct gw_ports {
  size_t struct_size;
  void* user;                     /* given back to each */
  int64_t (*wall_ms)(void* user); /* Unix ms UTC */
  int64_t (*mono_ms)(void* user); /* never jumps, counts while the system sleeps, starts anew only with boot_id */
  void (*boot_id)(void* user, uint8_t out[16]);
  /* The newest fix. wait_ms 0: do not block. Otherwise wait at most that long for a new one. No fix: GW_E_POSITION_….
   */
  gw_status (*position)(void* user, uint32_t wait_ms, gw_fix* out);
  /* on: the agent will ask for positions from now (duty began); 0: it will not any more. */
  void (*position_active)(void* user, int32_t on);
  /* Writes one JPEG, PNG or WebP file to `path`. */
  gw_status (*camera)(void* user, const char* path);
  int32_t (*battery_percent)(void* user);                     /* 0 to 100; negative: unknown */
  gw_status (*random)(void* user, uint8_t* out, size_t size); /* fit for keys */
  void (*on_event)(void* user, const gw_event* event);        /* on the agent's thread, after it is stored */
  void (*wake)(void* user); /* from any thread: call gw_device_step soon. For hosts that do not poll gw_device_fd. */
  const struct gw_transport* transport; /* copied; its `user` is its own */
} gw_ports;

/* 0 or null members take the default in brackets. "The town's" is what the server has set for the handhelds of the
 * town; it holds from the moment when it arrives, also without the network afterwards. */
typedef struct gw_config {
  size_t struct_size;
  const char* data_dir;       /* the outbox and its photos; made when absent */
  const char* broker;         /* "ssl://host:8883" or "tcp://host:1883" */
  const char* ca_file;        /* PEM; needed with ssl:// */
  const char* device;         /* id: 1 to 64 of [A-Za-z0-9_-]; also the MQTT client id */
  const char* town;           /* division code */
  const char* user;           /* [device] */
  const char* password;       /* MQTT password */
  const char* key_file;       /* Ed25519 seed, 64 hex characters, mode 0600 [data_dir/device.key] */
  const char* actor;          /* the member who uses the device, when a call names none */
  const char* gpsd_host;      /* [no receiver] */
  int32_t gpsd_port;          /* [2947] */
  const char* camera_program; /* run with one argument: the path to write */
  int32_t position_wait_ms;   /* how long a capture waits for a fix [5000]; negative: not at all */
  int32_t position_age_ms;    /* a fix older than this is none [10000] */
  int32_t track_interval_ms;  /* between two points on duty [the town's, 10000] */
  int32_t track_batch_ms;     /* a batch is closed after this [the town's, 60000] */
  int32_t heartbeat_ms;       /* between two status records [the town's, 300000]; negative: none */
  int32_t keepalive_s;        /* MQTT [60] */
  int64_t outbox_bytes;       /* what waits, photos included [2 GiB]; more: GW_E_OUTBOX_FULL */
  int64_t min_free_bytes;     /* of the file system, kept free [64 MiB] */
  int32_t duty_by_patrol;     /* not 0: no sign-in in this county, a patrol opens the duty window */
  int32_t no_watch;           /* not 0: nobody else appends to this data folder; spares an inotify instance */
  int32_t photo_px;      /* longest side to which a JPEG is reduced, from 640 [the town's, never]; negative: never */
  int32_t photo_quality; /* of a reduced JPEG, 1 to 100 [the town's, 85] */
} gw_config;

/* ---- The transport: what carries messages to the broker and back (docs/protocol.md, section 1). ---- */

typedef enum gw_topic { GW_TOPIC_UP = 0, GW_TOPIC_MEDIA = 1 } gw_topic;

typedef enum gw_link_event_kind {
  GW_LINK_CONNECTED = 1, /* and subscribed to the device's down topic */
  GW_LINK_CONNECT_FAILED = 2,
  GW_LINK_DISCONNECTED = 3,   /* also when the subscription was refused */
  GW_LINK_MESSAGE = 4,        /* data, size: a payload of the down topic */
  GW_LINK_PUBLISH_REFUSED = 5 /* token: of the publish; reason: 0x80 or more */
} gw_link_event_kind;

typedef struct gw_link_event {
  size_t struct_size;
  int32_t kind;     /* gw_link_event_kind; others are ignored */
  int32_t reason;   /* MQTT 5 reason code; 0: none */
  const char* text; /* why, for a log; may be null */
  const uint8_t* data;
  size_t size;
  uint64_t token;
} gw_link_event;

/* The agent's end, where a transport tells what happened. `event` may be called from any thread, also from inside the
 * transport's own functions; it copies what it is given and never blocks. */
typedef struct gw_link {
  size_t struct_size;
  void* user;
  void (*event)(void* user, const gw_link_event* event);
} gw_link;

/* All of the functions must be there. They are called on the thread that runs the agent, one at a time, and must not
 * wait for the network. A message is not delivered before the server says so: a transport may lose, double and reorder,
 * and what it could not publish comes again. The end of a connection (GW_LINK_CONNECT_FAILED, GW_LINK_DISCONNECTED) is
 * told once for each connect(); without it the agent does not connect again. */
typedef struct gw_transport {
  size_t struct_size;
  void* user;
  /* Makes ready; no network yet. Of `config` the members broker, ca_file, device, town, user, password and keepalive_s
   * are set, defaults filled in; its texts live until `open` returns. `link` lives until `close` has returned. A status
   * that is not GW_OK is gw_device_agent_start's. */
  gw_status (*open)(void* user, const gw_config* config, const gw_link* link, void** connection);
  /* Begins to connect, after ending a connection that is still there. What comes of it is told. */
  void (*connect)(void* connection);
  /* Ends the connection, if there is one; waits at most half a second for what is on the way out. Need not tell. */
  void (*disconnect)(void* connection);
  /* Takes `data` (copied) for a topic (gw_topic) of this device, QoS 1. Not GW_OK: it is not taken. */
  gw_status (*publish)(void* connection, int32_t topic, const uint8_t* data, size_t size, uint64_t token);
  /* Ends it and frees. No event comes afterwards. */
  void (*close)(void* connection);
} gw_transport;

/* The library's own, MQTT 5 by Paho: for a transport that wraps it, with a gw_link of its own. Any thread; static. */
GW_API const gw_transport* gw_device_mqtt_transport(void);

GW_API uint32_t gw_device_abi(void);        /* any thread */
GW_API const char* gw_device_version(void); /* any thread; static */
/* The sentence for the member; static. Any thread. */
GW_API const char* gw_status_text(gw_status status, gw_lang lang);
/* The name in docs/errors.md ("outbox_full"); static. Any thread. */
GW_API const char* gw_status_name(gw_status status);

/* Makes data folder, key (unless key_file exists) and outbox (unless it exists). Safe to repeat.
 * public_key_hex may be null; otherwise it receives 64 characters and a 0: what the server enrols. */
GW_API gw_status gw_device_init(const gw_config* config, const gw_ports* ports, char public_key_hex[65]);
/* Opens what gw_device_init made. ports may be null. Everything is copied; *out is null on failure. */
GW_API gw_status gw_device_open(const gw_config* config, const gw_ports* ports, gw_device** out);
/* The same from a JSON file (device/README.md lists its keys). Relative paths count from the file's folder.
 * problem, when not null, receives what is wrong with the file, cut to problem_size. */
GW_API gw_status gw_device_init_file(const char* config_file, const gw_ports* ports, char public_key_hex[65],
                                     char* problem, size_t problem_size);
GW_API gw_status gw_device_open_file(const char* config_file, const gw_ports* ports, gw_device** out, char* problem,
                                     size_t problem_size);
/* Stops the agent, if it runs here, and frees. Null is allowed. */
GW_API void gw_device_close(gw_device* device);
/* What the last failed call on this handle was about: field, value, limit. Never null. */
GW_API const char* gw_device_last_error(gw_device* device);

/* ---- Capture. Each returns only after the record is on the disk (fsync): "saved". None needs the network. ---- */

typedef struct gw_saved {
  size_t struct_size;
  char id[37]; /* UUID of the record */
  uint64_t seq;
} gw_saved;

typedef struct gw_photo {
  size_t struct_size;
  const char* path; /* copied into the data folder; null: take one with the camera port */
  int32_t role;     /* gw_media_role */
} gw_photo;

/* What every capture may carry. Null where it is taken: all defaults. */
typedef struct gw_capture {
  size_t struct_size;
  const char* actor;   /* [the one who signed in, else gw_config.actor] */
  const gw_fix* fix;   /* use this position */
  int32_t no_position; /* not 0: do not ask for one */
} gw_capture;

typedef struct gw_report {
  size_t struct_size;
  const char* category;
  const char* text;
  const gw_photo* photos;
  size_t photo_count;
} gw_report;

typedef struct gw_check_item {
  size_t struct_size;
  const char* item;
  int32_t ok;
  const char* note; /* may be null */
} gw_check_item;

typedef struct gw_patrol_log {
  size_t struct_size;
  const char* text; /* may be null */
  const gw_check_item* checks;
  size_t check_count;
} gw_patrol_log;

typedef struct gw_task_result {
  size_t struct_size;
  const char* task; /* UUID */
  int32_t outcome;  /* gw_outcome */
  const char* text;
  const gw_photo* photos; /* GW_AFTER */
  size_t photo_count;
} gw_task_result;

/* saved may be null. */
GW_API gw_status gw_device_report(gw_device* device, const gw_report* report, const gw_capture* capture,
                                  gw_saved* saved);
GW_API gw_status gw_device_sign(gw_device* device, gw_sign_act act, const gw_capture* capture, gw_saved* saved);
GW_API gw_status gw_device_patrol_start(gw_device* device, const gw_capture* capture, gw_saved* saved);
GW_API gw_status gw_device_patrol_stop(gw_device* device, const gw_patrol_log* log, const gw_capture* capture,
                                       gw_saved* saved);
GW_API gw_status gw_device_task_result(gw_device* device, const gw_task_result* result, const gw_capture* capture,
                                       gw_saved* saved);

/* ---- Looking. ---- */

typedef struct gw_task {
  size_t struct_size;
  const char* task; /* UUID */
  const char* kind; /* "verify" */
  const char* case_id;
  const char* number;
  const char* category;
  const char* text;
  int32_t has_point;
  int32_t lat_e7;
  int32_t lon_e7;
  int64_t due_ms; /* 0: none */
  int32_t state;  /* gw_task_state */
} gw_task;
/* In order of arrival; open ones only unless `all`. The callback returns 0 to go on. Its pointers live until it
 * returns. */
GW_API gw_status gw_device_tasks(gw_device* device, int32_t all, int32_t (*each)(void* user, const gw_task* task),
                                 void* user);

typedef struct gw_category {
  size_t struct_size;
  const char* code; /* for gw_report.category */
  const char* name;
  const char* group; /* may be "" */
} gw_category;
/* The newest matter list that the server has sent, in the order to show it; none so far: no call. The callback returns
 * 0 to go on. Its pointers live until it returns. */
GW_API gw_status gw_device_categories(gw_device* device, int32_t (*each)(void* user, const gw_category* category),
                                      void* user);

typedef struct gw_refusal {
  size_t struct_size;
  const char* id;   /* of the record, or sha256 of the photo */
  const char* kind; /* "report", …, or "media" */
  int64_t at_ms;
  int32_t code;
  const char* reason;
} gw_refusal;
/* What the server will not take: kept, newest first. */
GW_API gw_status gw_device_refused(gw_device* device, int32_t (*each)(void* user, const gw_refusal* refusal),
                                   void* user);

/* What was refused waits again, for example after the server learned a member or a category. *count may be null. */
GW_API gw_status gw_device_retry_refused(gw_device* device, uint64_t* count);

typedef struct gw_summary {
  size_t struct_size;
  uint64_t waiting_records;
  uint64_t waiting_media;
  uint64_t waiting_bytes;  /* records and what is left of photos, as far as the device knows */
  int64_t oldest_age_ms;   /* of the oldest waiting record; 0: nothing waits */
  int64_t last_receipt_ms; /* Unix ms by the device's clock; 0: never */
  uint64_t refused;
  uint64_t stored_records; /* with the receipted ones that are kept until the server's backup has them */
  uint64_t next_seq;
  uint64_t safe;
  uint64_t pending_points; /* track points not yet in a batch */
  int32_t on_duty;
  int32_t on_patrol;
  int32_t open_tasks;
  int32_t clock_source;       /* 0 local, 1 server, 2 gnss: of the last record */
  uint32_t clock_error_ms;    /* 0: unknown */
  const char* actor;          /* on duty, or "" */
  const char* epoch;          /* UUID */
  uint64_t dropped_points;    /* track points out of range, since the outbox was made */
  const char* settings_rev;   /* of the town's settings, or "" */
  const char* categories_rev; /* of the matter list, or "" */
  int32_t agent_state;        /* gw_agent_state: of the agent on this data folder, in whatever process */
} gw_summary;
GW_API gw_status gw_device_summary(gw_device* device, gw_summary* out);

/* ---- The agent: sends, receives, records tracks on duty. One for a data folder at a time. ---- */

/* Takes the agent's lock and begins to connect. GW_E_UNAVAILABLE: another one has it. */
GW_API gw_status gw_device_agent_start(gw_device* device);
/* Does what is due and returns; never waits for the network. *next_ms: milliseconds until it must be called again
 * even if gw_device_fd stays silent (-1: no time limit). GW_E_OUTBOX_FULL, GW_E_STORAGE_FAILED: the disk took no
 * commit. Nothing is lost by that: the agent has dropped its connection and begins anew from the disk; call again after
 * *next_ms.
 */
GW_API gw_status gw_device_step(gw_device* device, int64_t* next_ms);
/* Readable (poll) when gw_device_step has something to do. -1 when there is none (gw_ports.wake is used, no_watch set).
 * It stays the same while the agent runs. */
GW_API int32_t gw_device_fd(gw_device* device);
/* agent_start, then step until gw_device_stop; then leaves in order. Goes on when the disk is full for a while; returns
 * when the outbox is damaged. */
GW_API gw_status gw_device_run(gw_device* device);
/* 1 while connected and greeted by the server. */
GW_API int32_t gw_device_connected(gw_device* device);
/* The network came or changed: connect now instead of waiting for the backoff. */
GW_API gw_status gw_device_network_changed(gw_device* device);
/* Disconnects in order and gives the lock back. */
GW_API gw_status gw_device_agent_stop(gw_device* device);
GW_API void gw_device_wake(gw_device* device); /* any thread, signal handlers */
GW_API void gw_device_stop(gw_device* device); /* any thread, signal handlers */

#ifdef __cplusplus
}
#endif

#endif
