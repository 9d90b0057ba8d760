/*
 * A made-up NVML with two devices: the first has everything but remapped rows, whose function this
 * version of the library lacks; the second offers next to nothing.
 */
#include "prototypes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST ((nvmlDevice_t)0x7f0000000010L)
#define SECOND ((nvmlDevice_t)0x7f0000000020L)
#define NOT_SUPPORTED 3
#define ONLY_FIRST if (device != FIRST) return NOT_SUPPORTED

nvmlReturn_t nvmlInit_v2(void) { return 0; }
const char *nvmlErrorString(nvmlReturn_t result) {
  return result == NOT_SUPPORTED ? "Not Supported" : "Unknown Error";
}
nvmlReturn_t nvmlSystemGetDriverVersion(char *version, unsigned int length) {
  return snprintf(version, length, "580.65.06"), 0;
}
nvmlReturn_t nvmlSystemGetNVMLVersion(char *version, unsigned int length) {
  return snprintf(version, length, "13.580.65.06"), 0;
}
nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *version) { return *version = 13000, 0; }
nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) { return *count = 2, 0; }
nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
  return *device = index ? SECOND : FIRST, index < 2 ? 0 : 2;
}
nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned int length) {
  return snprintf(name, length, device == FIRST ? "Made-up card" : "Old card"), 0;
}
nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *uuid, unsigned int length) {
  return snprintf(uuid, length, device == FIRST ? "GPU-1" : "GPU-2"), 0;
}
static void pci(nvmlPciInfo_t *info, unsigned int bus) {
  memset(info, 0xff, sizeof *info);
  snprintf(info->busIdLegacy, sizeof info->busIdLegacy, "0000:%02X:00.0", bus);
  snprintf(info->busId, sizeof info->busId, "00000000:%02X:00.0", bus);
  info->bus = bus;
}
nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *info) {
  return pci(info, device == FIRST ? 0x1b : 0x43), 0;
}
nvmlReturn_t nvmlDeviceGetCudaComputeCapability(nvmlDevice_t device, int *major, int *minor) {
  return *major = device == FIRST ? 9 : 7, *minor = device == FIRST ? 0 : 5, 0;
}
nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
  (void)device;
  memory->total = 8000000001ULL;
  memory->free = 5000000002ULL;
  memory->used = 3000000003ULL;
  return 0;
}
nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, nvmlMemory_v2_t *memory) {
  ONLY_FIRST;
  if (memory->version != (sizeof *memory | 2 << 24)) return 25;
  memory->total = 80000000001ULL;
  memory->reserved = 600000002ULL;
  memory->free = 70000000003ULL;
  memory->used = 9000000004ULL;
  return 0;
}
/* Twenty processes, so that a first try with less room fails. */
nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(
    nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_t *infos) {
  ONLY_FIRST;
  unsigned int capacity = *count;
  *count = 20;
  if (capacity < 20) return 7;
  for (unsigned int i = 0; i < 20; i++) {
    infos[i].pid = 1000 + i;
    infos[i].usedGpuMemory = i == 3 ? 0xffffffffffffffffULL : 5000000000ULL + i;
    infos[i].gpuInstanceId = infos[i].computeInstanceId = 0xffffffff;
  }
  return 0;
}
nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *utilization) {
  ONLY_FIRST;
  return utilization->gpu = 97, utilization->memory = 41, 0;
}
nvmlReturn_t nvmlDeviceGetTemperature(
    nvmlDevice_t device, nvmlTemperatureSensors_t sensor, unsigned int *temperature) {
  ONLY_FIRST;
  return *temperature = 64, sensor ? 2 : 0;
}
nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned int *milliwatts) {
  ONLY_FIRST;
  return *milliwatts = 654321, 0;
}
nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned int *milliwatts) {
  ONLY_FIRST;
  return *milliwatts = 650000, 0;
}
nvmlReturn_t nvmlDeviceGetPowerManagementDefaultLimit(
    nvmlDevice_t device, unsigned int *milliwatts) {
  ONLY_FIRST;
  return *milliwatts = 700000, 0;
}
nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(
    nvmlDevice_t device, unsigned long long *millijoules) {
  ONLY_FIRST;
  return *millijoules = 12345678901ULL, 0;
}
nvmlReturn_t nvmlDeviceGetClockInfo(
    nvmlDevice_t device, nvmlClockType_t type, unsigned int *megahertz) {
  ONLY_FIRST;
  return *megahertz = 1000 + (unsigned)type, 0;
}
nvmlReturn_t nvmlDeviceGetMaxClockInfo(
    nvmlDevice_t device, nvmlClockType_t type, unsigned int *megahertz) {
  ONLY_FIRST;
  return *megahertz = 2000 + (unsigned)type, 0;
}
nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(
    nvmlDevice_t device, unsigned long long *reasons) {
  ONLY_FIRST;
  return *reasons = 0x4 | 0x20, 0;
}
nvmlReturn_t nvmlDeviceGetCurrPcieLinkGeneration(nvmlDevice_t device, unsigned int *generation) {
  ONLY_FIRST;
  return *generation = 4, 0;
}
nvmlReturn_t nvmlDeviceGetCurrPcieLinkWidth(nvmlDevice_t device, unsigned int *width) {
  ONLY_FIRST;
  return *width = 8, 0;
}
nvmlReturn_t nvmlDeviceGetMaxPcieLinkGeneration(nvmlDevice_t device, unsigned int *generation) {
  ONLY_FIRST;
  return *generation = 5, 0;
}
nvmlReturn_t nvmlDeviceGetMaxPcieLinkWidth(nvmlDevice_t device, unsigned int *width) {
  ONLY_FIRST;
  return *width = 16, 0;
}
nvmlReturn_t nvmlDeviceGetPcieThroughput(
    nvmlDevice_t device, nvmlPcieUtilCounter_t counter, unsigned int *kb_per_second) {
  ONLY_FIRST;
  return *kb_per_second = counter ? 3000000000U : 7, 0;
}
/* The counters are of all links together alone, and of the second an older kind of number. */
nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, nvmlFieldValue_t *values) {
  for (int i = 0; i < count; i++) {
    nvmlFieldValue_t *field = &values[i];
    field->timestamp = 1, field->latencyUsec = 2;
    field->nvmlReturn = device != FIRST || field->scopeId != 0xffffffff ? NOT_SUPPORTED : 0;
    if (field->fieldId == 138) {
      field->valueType = 3, field->value = 5000000000ULL;
    } else if (field->fieldId == 139) {
      field->valueType = 1, field->value = 0xffffffff00000000ULL | 4000000000U;
    } else {
      field->valueType = 0, field->value = 0x3ff8000000000000ULL;
    }
  }
  return 0;
}
/* A sample is the number of those that were taken before it; the metrics come from both. */
struct nvmlGpmSample_st {
  int taken;
};
nvmlReturn_t nvmlGpmQueryDeviceSupport(nvmlDevice_t device, nvmlGpmSupport_t *support) {
  if (support->version != 1) return 25;
  return support->isSupportedDevice = device == FIRST, 0;
}
nvmlReturn_t nvmlGpmSampleAlloc(nvmlGpmSample_t *sample) {
  return *sample = calloc(1, sizeof **sample), 0;
}
nvmlReturn_t nvmlGpmSampleGet(nvmlDevice_t device, nvmlGpmSample_t sample) {
  static int taken;
  ONLY_FIRST;
  return sample->taken = ++taken, 0;
}
nvmlReturn_t nvmlGpmMetricsGet(nvmlGpmMetricsGet_t *get) {
  if (get->version != 1) return 25;
  if (get->sample2->taken - get->sample1->taken != 1) return 2;
  for (unsigned int i = 0; i < get->numMetrics; i++) {
    nvmlGpmMetric_t *metric = &get->metrics[i];
    metric->nvmlReturn = metric->metricId == 10 ? NOT_SUPPORTED : 0;
    metric->value = metric->metricId + 0.5;
  }
  return 0;
}
nvmlReturn_t nvmlDeviceGetNvLinkState(
    nvmlDevice_t device, unsigned int link, nvmlEnableState_t *active) {
  ONLY_FIRST;
  return *active = link != 1, link < 3 ? 0 : 2;
}
nvmlReturn_t nvmlDeviceGetNvLinkVersion(
    nvmlDevice_t device, unsigned int link, unsigned int *version) {
  ONLY_FIRST;
  return *version = 4 + link, 0;
}
nvmlReturn_t nvmlDeviceGetNvLinkRemoteDeviceType(
    nvmlDevice_t device, unsigned int link, nvmlIntNvLinkDeviceType_t *type) {
  ONLY_FIRST;
  return *type = link == 0 ? 2 : 0, 0;
}
nvmlReturn_t nvmlDeviceGetNvLinkRemotePciInfo_v2(
    nvmlDevice_t device, unsigned int link, nvmlPciInfo_t *info) {
  ONLY_FIRST;
  return pci(info, 0xa0 + link), 0;
}
nvmlReturn_t nvmlDeviceGetEccMode(
    nvmlDevice_t device, nvmlEnableState_t *current, nvmlEnableState_t *pending) {
  ONLY_FIRST;
  return *current = 1, *pending = 0, 0;
}
nvmlReturn_t nvmlDeviceGetTotalEccErrors(
    nvmlDevice_t device,
    nvmlMemoryErrorType_t type,
    nvmlEccCounterType_t counter,
    unsigned long long *count) {
  ONLY_FIRST;
  return *count = type ? 1 : 70000000000ULL, counter ? 2 : 0;
}
nvmlReturn_t nvmlDeviceGetTopologyCommonAncestor(
    nvmlDevice_t first, nvmlDevice_t second, nvmlGpuTopologyLevel_t *level) {
  return *level = first == FIRST && second == SECOND ? 40 : 50, 0;
}
nvmlReturn_t nvmlDeviceGetP2PStatus(
    nvmlDevice_t first,
    nvmlDevice_t second,
    nvmlGpuP2PCapsIndex_t capability,
    nvmlGpuP2PStatus_t *status) {
  return *status = first == FIRST && second == SECOND && capability == 2 ? 0 : 3, 0;
}
