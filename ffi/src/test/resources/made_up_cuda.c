/* A made-up CUDA driver with two devices whose memory is the host's. */
#include "prototypes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAD_STREAM ((CUstream)0xbadL)

static _Thread_local CUcontext current;
static char contexts[2], module_handle, function_handle, event_handles[2];
static int events;

CUresult cuInit(unsigned int flags) { return flags == 0 ? 0 : 1; }
CUresult cuDriverGetVersion(int *version) { return *version = 13010, 0; }
CUresult cuGetErrorName(CUresult error, const char **text) {
  *text = error == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_INVALID_VALUE";
  return 0;
}
CUresult cuGetErrorString(CUresult error, const char **text) {
  *text = error == 2 ? "out of memory" : "invalid argument";
  return 0;
}
CUresult cuDeviceGetCount(int *count) { return *count = 2, 0; }
CUresult cuDeviceGet(CUdevice *device, int ordinal) { return *device = 100 + ordinal, 0; }
CUresult cuDeviceGetName(char *name, int length, CUdevice device) {
  return snprintf(name, length, "Made-up card %d", device - 100), 0;
}
CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice device) {
  for (int i = 0; i < 16; i++) uuid->bytes[i] = (char)(0xf0 + i);
  uuid->bytes[0] = (char)(device - 100);
  return 0;
}
CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) {
  return *bytes = 80000000000UL + (size_t)device, 0;
}
CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice device) {
  *value = attribute == 75 ? 9 : attribute == 76 ? 0 : 1000 * attribute + device;
  return 0;
}
CUresult cuDeviceGetPCIBusId(char *id, int length, CUdevice device) {
  return snprintf(id, length, "0000:%02X:00.0", device), 0;
}
CUresult cuDeviceCanAccessPeer(int *can, CUdevice device, CUdevice peer) {
  return *can = device == 100 && peer == 101, 0;
}
CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
  return *context = (CUcontext)&contexts[device - 100], 0;
}
CUresult cuCtxSetCurrent(CUcontext context) { return current = context, 0; }
CUresult cuCtxGetCurrent(CUcontext *context) { return *context = current, 0; }
CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
  if (!current) return 201;
  *free = current == (CUcontext)&contexts[0] ? 11000000000UL : 22000000000UL;
  *total = 80000000000UL;
  return 0;
}
CUresult cuEventCreate(CUevent *event, unsigned int flags) {
  if (!current || flags) return 1;
  return *event = (CUevent)&event_handles[events++ % 2], 0;
}
CUresult cuEventRecord(CUevent event, CUstream stream) {
  return stream == BAD_STREAM ? 2 : event ? 0 : 1;
}
CUresult cuEventQuery(CUevent event) { return event == (CUevent)&event_handles[0] ? 600 : 0; }
CUresult cuEventSynchronize(CUevent event) { return event ? 0 : 1; }
CUresult cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) {
  return *milliseconds = (float)((char *)end - (char *)start) * 1.5f, 0;
}
CUresult cuEventDestroy_v2(CUevent event) { return event ? 0 : 1; }
CUresult cuStreamCreate(CUstream *stream, unsigned int flags) {
  return *stream = (CUstream)0x57, flags == 1 ? 0 : 1;
}
CUresult cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  return *least = 0, *greatest = -5, current ? 0 : 1;
}
CUresult cuStreamCreateWithPriority(CUstream *stream, unsigned int flags, int priority) {
  return *stream = (CUstream)0x75, flags == 1 && priority == -5 ? 0 : 1;
}
CUresult cuStreamDestroy_v2(CUstream stream) { return stream ? 0 : 1; }
CUresult cuStreamSynchronize(CUstream stream) { return stream == BAD_STREAM ? 1 : 0; }
CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned int flags) {
  return stream == (CUstream)7L && event && !flags ? 0 : 1;
}
/* Nobody would write the number later: it must be there. */
CUresult cuStreamWaitValue32_v2(
    CUstream stream, CUdeviceptr address, uint32_t value, unsigned flags) {
  if (stream == BAD_STREAM || flags) return 1;
  return (int32_t)(*(const uint32_t *)address - value) >= 0 ? 0 : 1;
}
CUresult cuMemcpyHtoDAsync_v2(
    CUdeviceptr target, const void *source, size_t bytes, CUstream stream) {
  if (stream == BAD_STREAM) return 1;
  return memcpy((void *)target, source, bytes), 0;
}
CUresult cuMemcpyDtoHAsync_v2(void *target, CUdeviceptr source, size_t bytes, CUstream stream) {
  if (stream == BAD_STREAM) return 1;
  return memcpy(target, (const void *)source, bytes), 0;
}
/* From a device to the host alone, as it is used. */
CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *copy, CUstream stream) {
  if (stream == BAD_STREAM || copy->srcMemoryType != 2 || copy->dstMemoryType != 1) return 1;
  if (copy->srcXInBytes || copy->srcY || copy->dstXInBytes || copy->dstY) return 1;
  if (copy->srcPitch < copy->WidthInBytes || copy->dstPitch < copy->WidthInBytes) return 1;
  for (size_t row = 0; row < copy->Height; row++)
    memcpy((char *)copy->dstHost + row * copy->dstPitch,
           (const char *)copy->srcDevice + row * copy->srcPitch, copy->WidthInBytes);
  return 0;
}
CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
  if (!current) return 201;
  return *address = (CUdeviceptr)malloc(bytes), *address ? 0 : 2;
}
CUresult cuMemFree_v2(CUdeviceptr address) { return free((void *)address), 0; }
/* One stretch of host memory can be locked at a time. */
static const void *locked;
CUresult cuMemHostRegister_v2(void *address, size_t bytes, unsigned flags) {
  if (!current) return 201;
  if (locked || bytes == 0 || flags != 1) return 712;
  return locked = address, 0;
}
CUresult cuMemHostUnregister(void *address) {
  if (locked != address) return 713;
  return locked = 0, 0;
}
CUresult cuMemcpyDtoDAsync_v2(
    CUdeviceptr target, CUdeviceptr source, size_t bytes, CUstream stream) {
  if (stream == BAD_STREAM) return 1;
  return memcpy((void *)target, (const void *)source, bytes), 0;
}
/* From the second device to the first, one bit gets lost on the way. */
CUresult cuMemcpyPeerAsync(
    CUdeviceptr target,
    CUcontext target_context,
    CUdeviceptr source,
    CUcontext source_context,
    size_t bytes,
    CUstream stream) {
  if (stream == BAD_STREAM) return 1;
  memcpy((void *)target, (const void *)source, bytes);
  if (source_context == (CUcontext)&contexts[1] && target_context == (CUcontext)&contexts[0])
    ((char *)target)[bytes / 2] ^= 4;
  return 0;
}
CUresult cuCtxEnablePeerAccess(CUcontext peer, unsigned int flags) {
  return flags || peer == current ? 1 : 0;
}
CUresult cuCtxDisablePeerAccess(CUcontext peer) { return peer ? 0 : 1; }
CUresult cuModuleLoadData(CUmodule *module, const void *image) {
  if (memcmp(image, "cubin", 5)) return 200;
  return *module = (CUmodule)&module_handle, 0;
}
CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  if (module != (CUmodule)&module_handle || strcmp(name, "axpy")) return 1;
  return *function = (CUfunction)&function_handle, 0;
}
static int dynamic_shared = 48 * 1024;
CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
  if (function != (CUfunction)&function_handle || attribute != 8 || value > 200000) return 1;
  return dynamic_shared = value, 0;
}
CUresult cuFuncGetAttribute(int *value, CUfunction_attribute attribute, CUfunction function) {
  if (function != (CUfunction)&function_handle) return 1;
  return *value = attribute == 8 ? dynamic_shared : attribute, 0;
}
/* void axpy(double *out, const float *in, int first, long count, float factor, double offset) */
CUresult cuLaunchKernel(
    CUfunction function,
    unsigned int grid_x,
    unsigned int grid_y,
    unsigned int grid_z,
    unsigned int block_x,
    unsigned int block_y,
    unsigned int block_z,
    unsigned int shared_bytes,
    CUstream stream,
    void **parameters,
    void **extra) {
  if (!current || function != (CUfunction)&function_handle || extra) return 1;
  if (block_x * block_y * block_z > 1024 || stream != (CUstream)7L) return 1;
  double *out = *(double **)parameters[0];
  const float *in = *(const float **)parameters[1];
  int first = *(int *)parameters[2];
  long count = *(long *)parameters[3];
  float factor = *(float *)parameters[4];
  double offset = *(double *)parameters[5];
  for (long i = first; i < count; i++) out[i] = in[i] * factor + offset;
  out[0] = grid_x * 1e0 + grid_y * 1e1 + grid_z * 1e2;
  out[1] = block_x * 1e0 + block_y * 1e1 + block_z * 1e2;
  out[2] = shared_bytes;
  return 0;
}
