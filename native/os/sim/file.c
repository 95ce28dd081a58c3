/* file.c - names, server instances, clients; and the same for the peers that a test plays. */
#include "kernel.h"

#define FILE_ANY_MODE UINT32_MAX /* a client that the test plays fits every server */

/* ---------------------------------------------------------------- names */

sim_name *sim_name_find(const char *text) {
  sim_name *name = sim.names;
  while (name != NULL && (name->given_up || strcmp(name->text, text) != 0)) name = name->next;
  return name;
}

/* One that was given up, and that nobody has any more. */
static sim_name *file__old_name(const char *text) {
  sim_name *name = sim.names;
  while (name != NULL && (!name->given_up || name->instances != 0 || strcmp(name->text, text) != 0)) name = name->next;
  if (name != NULL) name->given_up = false;
  return name;
}

static sim_name *file__name(const char *text) {
  sim_name *name = sim_name_find(text);
  if (name == NULL) name = file__old_name(text);
  if (name != NULL) return name;
  name = sim_host_alloc(sizeof *name);
  memcpy(name->text, text, strlen(text) + 1);
  name->next = sim.names;
  sim.names = name;
  return name;
}

const char *sim_name_prefix(void) { return os_direct_io ? "/sim/" : "\\\\.\\pipe\\"; }

static bool file__is_reserved(const char *text) {
  static const char reserved[] = "anonymous";
  size_t i = 0;
  while (reserved[i] != '\0' && (text[i] | 0x20) == reserved[i]) i++;
  return reserved[i] == '\0' && text[i] == '\0';
}

/* *text loses its prefix. */
static nps_result file__check_name(const char **text) {
  const char *prefix = sim_name_prefix();
  const size_t before = strlen(prefix);
  const uint32_t limit = sim.settings.name_limit != 0 ? sim.settings.name_limit : SIM_DEFAULT_NAME_LIMIT;
  if (strncmp(*text, prefix, before) == 0) *text += before;
  if (**text == '\0' || strpbrk(*text, "/\\") != NULL || file__is_reserved(*text)) {
    return sim_result(NPS_E_INVALID_ARGUMENT) | NPS_ARGUMENT_NAME;
  }
  return before + strlen(*text) > limit ? sim_result(NPS_E_NAME_TOO_LONG) | limit : NPS_OK;
}

/* ---------------------------------------------------------------- files */

static sim_file *file__new(sim_name *name, uint32_t direction) {
  sim_file *made = sim_host_alloc(sizeof *made);
  made->handle = ++sim.handles;
  made->name = name;
  made->direction = direction;
  made->next = sim.files;
  sim.files = made;
  return made;
}

nps_result sim_file_new_server(const nps_server_options *options, sim_file **file) {
  const char *text = options->name;
  nps_result result = file__check_name(&text);
  if (result != NPS_OK) return result;
  sim_name *name = file__name(text);
  if (name->instances != 0) {
    if ((options->flags & NPS_SERVER_FIRST_INSTANCE) != 0) return sim_result(NPS_E_ACCESS_DENIED);
    if (!os_direct_io && (options->max_instances != name->max_instances || options->direction != name->direction)) {
      return sim_result(NPS_E_ACCESS_DENIED);
    }
    if (options->mode != name->mode) return sim_result(NPS_E_ACCESS_DENIED);
    if (name->max_instances != NPS_UNLIMITED_INSTANCES && name->instances >= name->max_instances) return sim_result(NPS_E_PIPE_BUSY);
  } else {
    name->max_instances = options->max_instances;
    name->direction = options->direction;
    name->mode = options->mode;
    name->quota_in = options->in_buffer_size;
    name->quota_out = options->out_buffer_size;
  }
  name->instances++;
  sim_file *made = file__new(name, os_direct_io ? options->direction : name->direction);
  made->quota_in = options->in_buffer_size;
  made->quota_out = options->out_buffer_size;
  made->listening = !os_direct_io;
  *file = made;
  return NPS_OK;
}

/* A listening instance of the name, one by chance. */
static sim_file *file__listening(const sim_name *name) {
  sim_file *found = NULL;
  uint32_t seen = 0;
  for (sim_file *file = sim.files; file != NULL; file = file->next) {
    if (file->name == name && file->listening && sim_random(++seen) == 0) found = file;
  }
  return found;
}

static void file__append_backlog(sim_name *name, sim_side *side) {
  sim_side **link = &name->backlog;
  while (*link != NULL) link = &(*link)->next_waiting;
  *link = side;
}

static uint32_t file__backlog_length(const sim_name *name) {
  uint32_t length = 0;
  for (const sim_side *side = name->backlog; side != NULL; side = side->next_waiting) length++;
  return length;
}

nps_result sim_file_new_client(const char *text, uint32_t mode, uint32_t direction, sim_file **file) {
  nps_result result = file__check_name(&text);
  if (result != NPS_OK) return result;
  sim_name *name = sim_name_find(text);
  if (name == NULL || name->instances == 0) return sim_result(NPS_E_NOT_FOUND);
  if (mode != FILE_ANY_MODE && mode != name->mode) return sim_result(os_direct_io ? NPS_E_NOT_FOUND : NPS_E_NOT_SUPPORTED);
  sim_file *server = os_direct_io ? NULL : file__listening(name);
  const uint32_t backlog = sim.settings.backlog != 0 ? sim.settings.backlog : SIM_DEFAULT_BACKLOG;
  if (os_direct_io ? file__backlog_length(name) >= backlog : server == NULL) return sim_result(NPS_E_PIPE_BUSY);
  if (!os_direct_io) {
    /* What we read the server must write, and the other way round. */
    const uint32_t offered = ((server->direction & NPS_DIRECTION_OUT) >> 1) | ((server->direction & NPS_DIRECTION_IN) << 1);
    if ((direction & ~offered) != 0) return sim_result(NPS_E_ACCESS_DENIED);
  }
  sim_connection *made = sim_connection_new(name, server, direction);
  *file = file__new(NULL, direction);
  (*file)->side = &made->sides[1];
  if (server != NULL) {
    sim_file_install(server, &made->sides[0]);
  } else {
    file__append_backlog(name, &made->sides[0]);
  }
  return NPS_OK;
}

void sim_file_install(sim_file *file, sim_side *side) {
  if (file->side != NULL) sim_fail("a server gets a second client");
  side->direction = file->direction;
  file->side = side;
  file->listening = false;
  file->ended = false;
}

sim_side *sim_backlog_take(sim_name *name) {
  sim_side *side = name->backlog;
  if (side == NULL) return NULL;
  name->backlog = side->next_waiting;
  side->next_waiting = NULL;
  return side;
}

/* A client that was accepted for an instance which did not want it is the next to be served, if anybody is left to serve. */
void sim_backlog_return(sim_side *side) {
  sim_name *name = side->connection->name;
  if (name->instances == name->retired) {
    sim_side_close(side);
    return;
  }
  side->next_waiting = name->backlog;
  name->backlog = side;
}

void sim_file_end_connection(sim_file *file, bool cut) {
  sim_side *side = file->side;
  if (side == NULL) return;
  sim_side *peer = sim_side_peer(side);
  file->side = NULL;
  file->ended = false;
  if (cut && peer->open) {
    peer->cut = true;
    peer->in.count = peer->in.messages = 0; /* unread data are discarded */
    peer->nothing = false;
  }
  sim_side_close(side);
}

/* Nobody listens any more: clients that nobody has accepted see the end. */
static void file__end_backlog(sim_name *name) {
  sim_side *left;
  while ((left = sim_backlog_take(name)) != NULL) sim_side_close(left);
}

void sim_file_retire(sim_file *file) {
  if (file->name == NULL || file->side == NULL) sim_fail("a client is retired, or a server without one");
  if (file->retired) sim_fail("an instance is retired twice");
  file->retired = true;
  if (!os_direct_io) return; /* it does not listen, and has the name */
  if (++file->name->retired < file->name->instances) return;
  file->name->given_up = true;
  file__end_backlog(file->name);
}

static void file__leave_name(const sim_file *file) {
  sim_name *name = file->name;
  if (name == NULL) return;
  name->instances--;
  if (file->retired && os_direct_io) name->retired--;
  if (name->instances != name->retired) return;
  name->given_up = name->given_up || name->instances != 0;
  file__end_backlog(name);
}

void sim_file_close(sim_file *file) {
  sim_file **link = &sim.files;
  while (*link != file) link = &(*link)->next;
  *link = file->next;
  sim_requests_detach(file);
  sim_file_end_connection(file, false);
  file__leave_name(file);
  sim_host_free(file);
}

/* ---------------------------------------------------------------- for the test */

static sim_file *file__serve(const char *name, uint32_t mode, uint32_t direction, uint32_t quota) {
  const nps_server_options options = {.name = name, .mode = mode, .direction = direction, .max_instances = NPS_UNLIMITED_INSTANCES,
                                      .in_buffer_size = quota, .out_buffer_size = quota};
  sim_file *file = NULL;
  return sim_file_new_server(&options, &file) == NPS_OK ? file : NULL;
}

sim_file *sim_serve(const char *name, uint32_t direction, uint32_t quota) { return file__serve(name, NPS_MODE_BYTE, direction, quota); }

sim_file *sim_serve_messages(const char *name, uint32_t quota) {
  return file__serve(name, NPS_MODE_MESSAGE, NPS_DIRECTION_DUPLEX, quota);
}

nps_result sim_try_connect(const char *name, uint32_t direction, sim_file **file) {
  return sim_file_new_client(name, FILE_ANY_MODE, direction, file);
}

sim_file *sim_connect(const char *name, uint32_t direction) {
  sim_file *file = NULL;
  return sim_file_new_client(name, FILE_ANY_MODE, direction, &file) == NPS_OK ? file : NULL;
}

bool sim_accept(sim_file *server) {
  if (server->side == NULL && os_direct_io) {
    sim_side *side = sim_backlog_take(server->name);
    if (side != NULL) sim_file_install(server, side);
  }
  return server->side != NULL;
}

uint32_t sim_write(sim_file *file, const void *bytes, uint32_t size) {
  if (file->side == NULL || sim_side_broken(file->side)) return 0;
  if (!file->side->connection->message) return sim_side_send(file->side, bytes, size);
  return sim_side_send_message(file->side, bytes, size) ? size : 0;
}

uint32_t sim_read(sim_file *file, void *bytes, uint32_t size) {
  bool more;
  if (file->side == NULL || !sim_side_has(file->side)) return 0;
  if (!file->side->connection->message) return sim_side_receive(file->side, bytes, size);
  return sim_side_receive_message(file->side, bytes, size, &more);
}

bool sim_send(sim_file *file, const void *bytes, uint32_t size) {
  return file->side != NULL && !sim_side_broken(file->side) && sim_side_send_message(file->side, bytes, size);
}

bool sim_receive(sim_file *file, void *bytes, uint32_t size, uint32_t *count, bool *more) {
  if (file->side == NULL || !sim_side_has(file->side)) return false;
  *count = sim_side_receive_message(file->side, bytes, size, more);
  return true;
}

void sim_write_nothing(sim_file *file) {
  if (!os_direct_io && file->side != NULL && !sim_side_broken(file->side)) sim_side_peer(file->side)->nothing = true;
}

void sim_disconnect(sim_file *server) {
  sim_file_end_connection(server, !os_direct_io);
  server->listening = !os_direct_io;
}

void sim_close(sim_file *file) {
  if (file->pipe != NULL) sim_fail("the file is the library's");
  sim_file_close(file);
}

intptr_t sim_handle(const sim_file *file) { return file->handle; }

sim_file *sim_file_of_handle(intptr_t handle) {
  sim_file *file = sim.files;
  while (file != NULL && file->handle != handle) file = file->next;
  return file;
}

uint32_t sim_handles(void) {
  uint32_t count = sim.ports;
  for (const sim_file *file = sim.files; file != NULL; file = file->next) count++;
  return count;
}

sim_file *sim_file_of(const os_pipe *pipe) { return pipe->file; }

sim_view sim_look(const sim_file *file) {
  sim_view view = {.server = file->name != NULL, .listening = file->listening};
  view.backlog = file->name != NULL ? file__backlog_length(file->name) : 0;
  const sim_side *side = file->side;
  if (side == NULL) return view;
  view.connected = true;
  view.connection = side->connection->number;
  view.peer_done = sim_side_done(side);
  view.peer_broken = sim_side_broken(side);
  view.cut = side->cut;
  view.unread = side->in.count;
  view.room = sim_side_room(side);
  view.arrived = side->in.total;
  view.dispatched = sim_side_peer(side)->in.total;
  view.message = side->connection->message;
  view.messages = side->in.messages;
  view.arrived_messages = side->in.total_messages;
  return view;
}

sim_notes *sim_notes_of(sim_file *file) { return file->side == NULL ? NULL : &file->side->notes; }

sim_notes *sim_notes_of_peer(sim_file *file) { return file->side == NULL ? NULL : &sim_side_peer(file->side)->notes; }
