/* One report from a C program: save it, send it for a few seconds, say how things stand.
 *
 *   report_once FOLDER BROKER TEXT          for example: report_once /tmp/box tcp://127.0.0.1:1883 "井盖破损"
 *
 * "saved" is printed when the report is on the disk. Whether the network is there does not matter for that: what is not
 * sent now is sent by the next agent on the same folder. Ends with 0 when it was saved. */
#define _POSIX_C_SOURCE 200809L
#include <gridward/device.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static int failed(const char* doing, gw_status status, gw_device* device) {
  fprintf(stderr, "%s: %s (%s)\n", doing, gw_status_text(status, GW_LANG_EN), gw_device_last_error(device));
  return 1;
}

static void on_event(void* user, const gw_event* event) {
  (void)user;
  if (event->kind == GW_EVENT_CONNECTED) printf("connected\n");
  if (event->kind == GW_EVENT_RECEIPTED) printf("receipted %s\n", event->id);
}

/* The library's own transport, and what goes out through it counted: many plans are paid by volume. */
static uint64_t sent;
static gw_status publish(void* connection, int32_t topic, const uint8_t* data, size_t size, uint64_t token) {
  sent += size;
  return gw_device_mqtt_transport()->publish(connection, topic, data, size, token);
}

int main(int argc, char** argv) {
  gw_config config;
  gw_ports ports;
  gw_transport transport;
  gw_report report;
  gw_saved saved;
  gw_summary summary;
  gw_device* device = NULL;
  gw_status status;
  char key[65];
  int turn;

  if (argc != 4) {
    fprintf(stderr, "usage: report_once FOLDER BROKER TEXT\n");
    return 2;
  }
  /* A library of another ABI would read other structures. */
  if (gw_device_abi() != GW_DEVICE_ABI) return 3;

  memset(&config, 0, sizeof config);
  config.struct_size = sizeof config;
  config.data_dir = argv[1];
  config.broker = argv[2];
  config.device = "example-c";
  config.town = "120116115";
  config.actor = "wg0001";
  config.heartbeat_ms = -1;
  memset(&ports, 0, sizeof ports);
  ports.struct_size = sizeof ports;
  ports.on_event = on_event;
  transport = *gw_device_mqtt_transport();
  transport.publish = publish;
  ports.transport = &transport;

  status = gw_device_init(&config, &ports, key);
  if (status != GW_OK) return failed("init", status, NULL);
  printf("key %s\n", key); /* what the server enrols */
  status = gw_device_open(&config, &ports, &device);
  if (status != GW_OK) return failed("open", status, NULL);

  memset(&report, 0, sizeof report);
  report.struct_size = sizeof report;
  report.category = "A01";
  report.text = argv[3];
  memset(&saved, 0, sizeof saved);
  saved.struct_size = sizeof saved;
  status = gw_device_report(device, &report, NULL, &saved);
  if (status != GW_OK) return failed("report", status, device);
  printf("saved %s #%" PRIu64 "\n", saved.id, saved.seq);

  status = gw_device_agent_start(device);
  if (status != GW_OK) return failed("agent", status, device);
  memset(&summary, 0, sizeof summary);
  summary.struct_size = sizeof summary;
  for (turn = 0; turn < 50; ++turn) {
    struct pollfd wait;
    int64_t next_ms = -1;
    status = gw_device_step(device, &next_ms);
    if (status != GW_OK) return failed("step", status, device);
    status = gw_device_summary(device, &summary);
    if (status != GW_OK) return failed("summary", status, device);
    if (summary.waiting_records == 0) break;
    wait.fd = gw_device_fd(device);
    wait.events = POLLIN;
    wait.revents = 0;
    poll(&wait, 1, next_ms < 0 || next_ms > 100 ? 100 : (int)next_ms);
  }
  printf("waiting %" PRIu64 " records, %" PRIu64 " bytes went out\n", summary.waiting_records, sent);
  gw_device_close(device);
  return 0;
}
