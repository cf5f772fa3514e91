/* Recorded answers of two cards in the place of libnvidia-ml.so.1: what the driver asks of NVML
 * is answered from the file STATE, whose lines are `key value`, the last of a key counting.
 * A value may be an error: N/A, DENIED, LOST. Signatures are those of NVIDIA's NVML API. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NO_PERMISSION = 4, GPU_IS_LOST = 15 };

typedef struct card { unsigned index; } *device;
static struct card cards[2] = { { 0 }, { 1 } };

struct utilization { unsigned gpu, memory; };
struct memory { unsigned version; unsigned long long total, reserved, free, used; };

static int find(const char *key, char *value)
{
    char line[256], known[128], text[128];
    int found = 0;
    FILE *file = fopen(STATE, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "%127s %127[^\n]", known, text) == 2 && !strcmp(known, key)) {
            strcpy(value, text);
            found = 1;
        }
    if (file) fclose(file);
    if (!found || !strcmp(value, "N/A")) return NOT_SUPPORTED;
    if (!strcmp(value, "DENIED")) return NO_PERMISSION;
    if (!strcmp(value, "LOST")) return GPU_IS_LOST;
    return SUCCESS;
}

static int of(device card, const char *key, char *value)
{
    char whole[128];
    snprintf(whole, sizeof whole, "%u.%s", card->index, key);
    return find(whole, value);
}

static int number(device card, const char *key, unsigned long long *value)
{
    char text[128];
    int error = of(card, key, text);
    if (!error) *value = strtoull(text, NULL, 10);
    return error;
}

static int small(device card, const char *key, unsigned *value)
{
    unsigned long long wide = 0;
    int error = number(card, key, &wide);
    if (!error) *value = (unsigned)wide;
    return error;
}

static int word(device card, const char *key, char *to, unsigned length)
{
    char text[128];
    int error = of(card, key, text);
    if (!error) snprintf(to, length, "%s", text);
    return error;
}

int nvmlInit_v2(void) { return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }

int nvmlDeviceGetCount_v2(unsigned *count)
{
    char text[128];
    int error = find("count", text);
    if (!error) *count = (unsigned)atoi(text);
    return error;
}

int nvmlSystemGetDriverVersion(char *to, unsigned length)
{
    snprintf(to, length, "580.65.06");
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, device *card)
{
    char text[128];
    *card = &cards[index % 2];
    return of(*card, "name", text) == GPU_IS_LOST ? GPU_IS_LOST : SUCCESS;
}

int nvmlDeviceGetName(device c, char *to, unsigned n) { return word(c, "name", to, n); }
int nvmlDeviceGetSerial(device c, char *to, unsigned n) { return word(c, "serial", to, n); }
int nvmlDeviceGetUUID(device c, char *to, unsigned n) { return word(c, "uuid", to, n); }
int nvmlDeviceGetTemperature(device c, int sensor, unsigned *to)
{
    (void)sensor;
    return small(c, "temperature", to);
}
int nvmlDeviceGetTemperatureThreshold(device c, int kind, unsigned *to)
{
    static const char *keys[] = { "shutdown", "slowdown", "mem_max", "gpu_max" };
    return kind < 4 ? small(c, keys[kind], to) : NOT_SUPPORTED;
}
int nvmlDeviceGetPowerUsage(device c, unsigned *to) { return small(c, "power", to); }
int nvmlDeviceGetTotalEnergyConsumption(device c, unsigned long long *to)
{
    return number(c, "energy", to);
}
int nvmlDeviceGetPowerManagementLimit(device c, unsigned *to) { return small(c, "limit", to); }
int nvmlDeviceGetPowerManagementDefaultLimit(device c, unsigned *to)
{
    return small(c, "default", to);
}
int nvmlDeviceGetPowerManagementLimitConstraints(device c, unsigned *least, unsigned *most)
{
    int error = small(c, "least", least);
    return error ? error : small(c, "most", most);
}
int nvmlDeviceSetPowerManagementLimit(device c, unsigned limit)
{
    char text[128];
    int error = of(c, "set", text);
    if (error) return error;
    FILE *file = fopen(STATE, "a");
    if (!strcmp(text, "whole")) limit = limit / 1000 * 1000;
    if (strcmp(text, "ignored")) fprintf(file, "%u.limit %u\n", c->index, limit);
    fclose(file);
    return SUCCESS;
}
int nvmlDeviceGetUtilizationRates(device c, struct utilization *to)
{
    int error = small(c, "busy", &to->gpu);
    to->memory = 10;
    return error;
}
int nvmlDeviceGetMemoryInfo_v2(device c, struct memory *to)
{
    return number(c, "memory", &to->used);
}
int nvmlDeviceGetNumFans(device c, unsigned *to) { return small(c, "fans", to); }
int nvmlDeviceGetFanSpeed_v2(device c, unsigned fan, unsigned *to)
{
    (void)fan;
    return small(c, "fan", to);
}
int nvmlDeviceGetCurrentClocksThrottleReasons(device c, unsigned long long *to)
{
    return number(c, "reasons", to);
}
