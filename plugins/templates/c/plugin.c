// A bar for every number.

#include "bindings/renderer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HIGHEST = 1000, MOST_BARS = 100000, BAR_BYTES = 80, HEAD_BYTES = 160 };

typedef exports_flyball_plugin_rendering_list_diagnostic_t faults_t;

typedef struct {
  unsigned *of;
  size_t count;
} heights_t;

// A list that can't grow ends the call: the host says that the memory was too small.
static void *grown(void *list, size_t count, size_t size) {
  if (count != 0 && (count & (count - 1)) != 0) return list;
  void *more = realloc(list, (count == 0 ? 1 : 2 * count) * size);
  if (more == NULL) abort();
  return more;
}

static void add_fault(faults_t *faults, const char *code, const char *message, unsigned line,
                      unsigned column) {
  faults->ptr = grown(faults->ptr, faults->len, sizeof *faults->ptr);
  flyball_plugin_types_diagnostic_t *fault = &faults->ptr[faults->len++];
  memset(fault, 0, sizeof *fault);
  fault->severity = FLYBALL_PLUGIN_TYPES_SEVERITY_ERROR;
  renderer_string_dup(&fault->code, code);
  renderer_string_dup(&fault->message, message);
  fault->start.is_some = true;
  fault->start.val.line = line;
  fault->start.val.column = column;
}

static bool is_blank(uint8_t byte) {
  return byte == ' ' || byte == '\t' || byte == '\r';
}

// The number in `word`, or -1.
static int number(const uint8_t *word, size_t length) {
  int value = 0;
  for (size_t at = 0; at < length; at++) {
    if (word[at] < '0' || word[at] > '9') return -1;
    value = value * 10 + (word[at] - '0');
    if (value > HIGHEST) return -1;
  }
  return value;
}

// One number a line; blank lines are skipped.
static void parse(const renderer_string_t *source, heights_t *heights, faults_t *faults) {
  memset(heights, 0, sizeof *heights);
  memset(faults, 0, sizeof *faults);
  const uint8_t *text = source->ptr;
  size_t start = 0;
  for (unsigned line = 1; start < source->len; line++) {
    size_t end = start;
    while (end < source->len && text[end] != '\n') end++;
    size_t first = start, last = end;
    while (first < last && is_blank(text[first])) first++;
    while (last > first && is_blank(text[last - 1])) last--;
    if (first < last) {
      int value = number(text + first, last - first);
      if (value < 0) {
        char message[96];
        int shown = last - first > 40 ? 40 : (int)(last - first);
        // A character that is cut in two would be no UTF-8.
        while (shown > 0 && (text[first + shown - 1] & 0x80)) shown--;
        snprintf(message, sizeof message, "`%.*s` is not a whole number from 0 to %d", shown,
                 (const char *)text + first, HIGHEST);
        add_fault(faults, "number", message, line, (unsigned)(first - start) + 1);
      } else if (heights->count == MOST_BARS) {
        add_fault(faults, "number", "there are too many numbers", line, 1);
        return;
      } else {
        heights->of = grown(heights->of, heights->count, sizeof *heights->of);
        heights->of[heights->count++] = (unsigned)value;
      }
    }
    start = end + 1;
  }
  if (heights->count == 0 && faults->len == 0) {
    add_fault(faults, "empty", "there is no number in it", 1, 1);
  }
}

static void draw(const heights_t *heights, exports_flyball_plugin_rendering_image_t *image) {
  unsigned width = (unsigned)heights->count * 12, height = 1;
  for (size_t n = 0; n < heights->count; n++) {
    if (heights->of[n] > height) height = heights->of[n];
  }
  size_t room = HEAD_BYTES + heights->count * BAR_BYTES;
  char *svg = malloc(room);
  if (svg == NULL) abort();
  size_t used = (size_t)snprintf(
      svg, room,
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %u %u' width='%u' height='%u'>", width,
      height, width, height);
  for (size_t n = 0; n < heights->count; n++) {
    unsigned bar = heights->of[n];
    used += (size_t)snprintf(svg + used, room - used,
                             "<rect x='%u' y='%u' width='10' height='%u'/>", (unsigned)n * 12,
                             height - bar, bar);
  }
  used += (size_t)snprintf(svg + used, room - used, "</svg>");
  renderer_string_dup(&image->media_type, "image/svg+xml");
  image->width = width;
  image->height = height;
  image->data.ptr = (uint8_t *)svg;
  image->data.len = used;
  image->warnings.ptr = NULL;
  image->warnings.len = 0;
}

void exports_flyball_plugin_rendering_describe(
    exports_flyball_plugin_rendering_manifest_t *manifest) {
  renderer_string_dup(&manifest->id, "plugin-name");
  renderer_string_dup(&manifest->name, "plugin-name");
  renderer_string_dup(&manifest->version, "0.1.0");
  renderer_string_dup(&manifest->author, "You");
  renderer_string_dup(&manifest->licence, "MIT");
  renderer_string_dup(&manifest->description, "A bar for every number");
  manifest->handles.ptr = grown(NULL, 0, sizeof *manifest->handles.ptr);
  manifest->handles.len = 1;
  renderer_string_dup(&manifest->handles.ptr[0], "plugin-name");
  manifest->attributes.ptr = NULL;
  manifest->attributes.len = 0;
}

void exports_flyball_plugin_rendering_validate(renderer_string_t *format,
                                               renderer_string_t *source, faults_t *faults) {
  heights_t heights;
  parse(source, &heights, faults);
  free(heights.of);
  renderer_string_free(format);
  renderer_string_free(source);
}

bool exports_flyball_plugin_rendering_render(exports_flyball_plugin_rendering_request_t *request,
                                             exports_flyball_plugin_rendering_image_t *image,
                                             exports_flyball_plugin_rendering_error_t *error) {
  heights_t heights;
  faults_t faults;
  parse(&request->source, &heights, &faults);
  bool sound = faults.len == 0;
  if (sound) {
    draw(&heights, image);
  } else {
    error->kind = FLYBALL_PLUGIN_TYPES_ERROR_KIND_INVALID_INPUT;
    renderer_string_dup(&error->message, "the source has faults");
    error->diagnostics.ptr = faults.ptr;
    error->diagnostics.len = faults.len;
    error->retry_after_ms.is_some = false;
  }
  free(heights.of);
  exports_flyball_plugin_rendering_request_free(request);
  return sound;
}
