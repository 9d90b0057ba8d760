/*
 * The C functions and structs that this project calls, with the argument types that the public
 * headers give them: LibTorch's shim.h (aoti_torch/c and stable/c) and the generated c_shim_*.h,
 * cuda.h, nvrtc.h, cublas_api.h, cublasLt.h, nvml.h, cudnn_version.h, nccl.h. Every function that the Java code binds must be
 * here: the audit compares them, and the made-up libraries of the tests are compiled against it.
 *
 * Enums are written as int, which is how the platforms pass them.
 */
#ifndef DUOKA_PROTOTYPES_H
#define DUOKA_PROTOTYPES_H

#include <stddef.h>
#include <stdint.h>

#ifndef DUOKA_TYPES_FROM_HEADERS

/* LibTorch */
typedef int32_t AOTITorchError;
typedef uint64_t StableIValue;
typedef struct AtenTensorOpaque *AtenTensorHandle;
typedef struct StableListOpaque *StableListHandle;
typedef struct CUDAGuardOpaque *CUDAGuardHandle;
typedef struct CUDAStreamGuardOpaque *CUDAStreamGuardHandle;

/* CUDA driver */
typedef int CUresult;
typedef int CUdevice;
typedef int CUdevice_attribute;
typedef int CUfunction_attribute;
typedef unsigned long long CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;
typedef struct CUarray_st *CUarray;
typedef struct CUDA_MEMCPY2D_st {
  size_t srcXInBytes, srcY;
  unsigned int srcMemoryType;
  const void *srcHost;
  CUdeviceptr srcDevice;
  CUarray srcArray;
  size_t srcPitch;
  size_t dstXInBytes, dstY;
  unsigned int dstMemoryType;
  void *dstHost;
  CUdeviceptr dstDevice;
  CUarray dstArray;
  size_t dstPitch;
  size_t WidthInBytes, Height;
} CUDA_MEMCPY2D;
typedef struct CUuuid_st {
  char bytes[16];
} CUuuid;

/* cuBLAS */
typedef struct cublasContext *cublasHandle_t;

/* cuBLASLt */
typedef int cublasStatus_t;
typedef struct cublasLtContext *cublasLtHandle_t;
typedef struct cublasLtMatmulDescOpaque *cublasLtMatmulDesc_t;
typedef struct cublasLtMatrixLayoutOpaque *cublasLtMatrixLayout_t;
typedef struct cublasLtMatmulPreferenceOpaque *cublasLtMatmulPreference_t;

/* cuBLASLt */
size_t cublasLtGetVersion(void);
cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *description, int compute, int scale);
cublasStatus_t cublasLtMatmulDescSetAttribute(
    cublasLtMatmulDesc_t description, int attribute, const void *value, size_t bytes);
cublasStatus_t cublasLtMatrixLayoutCreate(
    cublasLtMatrixLayout_t *layout, int dtype, uint64_t rows, uint64_t columns, int64_t leading);
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *preference);
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(
    cublasLtMatmulPreference_t preference, int attribute, const void *value, size_t bytes);
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference);
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(
    cublasLtHandle_t handle,
    cublasLtMatmulDesc_t description,
    cublasLtMatrixLayout_t a,
    cublasLtMatrixLayout_t b,
    cublasLtMatrixLayout_t c,
    cublasLtMatrixLayout_t d,
    cublasLtMatmulPreference_t preference,
    int requested,
    void *results,
    int *returned);
cublasStatus_t cublasLtMatmul(
    cublasLtHandle_t handle,
    cublasLtMatmulDesc_t description,
    const void *alpha,
    CUdeviceptr a,
    cublasLtMatrixLayout_t layout_a,
    CUdeviceptr b,
    cublasLtMatrixLayout_t layout_b,
    const void *beta,
    CUdeviceptr c,
    cublasLtMatrixLayout_t layout_c,
    CUdeviceptr d,
    cublasLtMatrixLayout_t layout_d,
    const void *algorithm,
    CUdeviceptr workspace,
    size_t workspace_bytes,
    CUstream stream);

/* NVRTC */
typedef int nvrtcResult;
typedef struct _nvrtcProgram *nvrtcProgram;

/* NVML */
typedef int nvmlReturn_t;
typedef int nvmlEnableState_t;
typedef int nvmlTemperatureSensors_t;
typedef int nvmlClockType_t;
typedef int nvmlPstates_t;
typedef int nvmlComputeMode_t;
typedef int nvmlIntNvLinkDeviceType_t;
typedef int nvmlMemoryErrorType_t;
typedef int nvmlEccCounterType_t;
typedef int nvmlGpuTopologyLevel_t;
typedef int nvmlGpuP2PCapsIndex_t;
typedef int nvmlGpuP2PStatus_t;
typedef struct nvmlDevice_st *nvmlDevice_t;

typedef struct nvmlMemory_st {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
} nvmlMemory_t;

typedef struct nvmlMemory_v2_st {
  unsigned int version;
  unsigned long long total;
  unsigned long long reserved;
  unsigned long long free;
  unsigned long long used;
} nvmlMemory_v2_t;

typedef struct nvmlUtilization_st {
  unsigned int gpu;
  unsigned int memory;
} nvmlUtilization_t;

typedef struct nvmlPciInfo_st {
  char busIdLegacy[16];
  unsigned int domain;
  unsigned int bus;
  unsigned int device;
  unsigned int pciDeviceId;
  unsigned int pciSubSystemId;
  char busId[32];
} nvmlPciInfo_t;

typedef struct nvmlProcessInfo_st {
  unsigned int pid;
  unsigned long long usedGpuMemory;
  unsigned int gpuInstanceId;
  unsigned int computeInstanceId;
} nvmlProcessInfo_t;

typedef struct nvmlEventSet_st *nvmlEventSet_t;

typedef struct nvmlEventData_st {
  nvmlDevice_t device;
  unsigned long long eventType;
  unsigned long long eventData;
  unsigned int gpuInstanceId;
  unsigned int computeInstanceId;
} nvmlEventData_t;

typedef struct nvmlGpmSample_st *nvmlGpmSample_t;

typedef struct nvmlGpmSupport_st {
  unsigned int version;
  unsigned int isSupportedDevice;
} nvmlGpmSupport_t;

typedef struct nvmlGpmMetric_st {
  unsigned int metricId;
  nvmlReturn_t nvmlReturn;
  double value;
  const char *metricInfo[3]; /* a struct of its short name, long name and unit */
} nvmlGpmMetric_t;

typedef struct nvmlGpmMetricsGet_st {
  unsigned int version;
  unsigned int numMetrics;
  nvmlGpmSample_t sample1;
  nvmlGpmSample_t sample2;
  nvmlGpmMetric_t metrics[333]; /* NVML_GPM_METRIC_MAX, which was 98 at first */
} nvmlGpmMetricsGet_t;

typedef int nvmlPcieUtilCounter_t;
typedef int nvmlValueType_t;

typedef struct nvmlFieldValue_st {
  unsigned int fieldId;
  unsigned int scopeId;
  long long timestamp;
  long long latencyUsec;
  nvmlValueType_t valueType;
  nvmlReturn_t nvmlReturn;
  unsigned long long value; /* a union of all kinds of numbers */
} nvmlFieldValue_t;

/* NCCL */
typedef int ncclResult_t;

#endif

/* The C and C++ libraries, OpenMP, OpenBLAS. _Znwm is C++ operator new(size_t). */
void *dlopen(const char *file, int mode);
int mallopt(int param, int value);
void *dlsym(void *handle, const char *name);
char *dlerror(void);
char *getenv(const char *name);
int setenv(const char *name, const char *value, int overwrite);
void *_Znwm(size_t size);
void omp_set_num_threads(int threads);
int omp_get_max_threads(void);
void openblas_set_num_threads(int threads);
int openblas_get_num_threads(void);

/* LibTorch: versions, errors, the dispatcher, lists */
uint64_t aoti_torch_abi_version(void);
const char *torch_exception_get_what(void);
AOTITorchError torch_call_dispatcher(
    const char *name, const char *overload, StableIValue *stack, uint64_t version);
AOTITorchError torch_new_stable_ivalue(StableIValue **value);
AOTITorchError torch_new_list_reserve_size(size_t size, StableListHandle *list);
AOTITorchError torch_list_push_back(StableListHandle list, StableIValue element);
AOTITorchError torch_list_get_item(StableListHandle list, size_t index, StableIValue *element);
AOTITorchError torch_list_size(StableListHandle list, size_t *size);
AOTITorchError torch_delete_list(StableListHandle list);

/* LibTorch: tensors */
AOTITorchError aoti_torch_new_tensor_handle(AtenTensorHandle tensor, AtenTensorHandle *result);
AOTITorchError aoti_torch_new_uninitialized_tensor(AtenTensorHandle *result);
AOTITorchError aoti_torch_delete_tensor_object(AtenTensorHandle tensor);
AOTITorchError aoti_torch_empty_strided(
    int64_t dimensions,
    const int64_t *sizes,
    const int64_t *strides,
    int32_t dtype,
    int32_t device_type,
    int32_t device_index,
    AtenTensorHandle *result);
AOTITorchError aoti_torch_empty_strided_pinned(
    int64_t dimensions,
    const int64_t *sizes,
    const int64_t *strides,
    int32_t dtype,
    int32_t device_type,
    int32_t device_index,
    AtenTensorHandle *result);
AOTITorchError aoti_torch__reinterpret_tensor(
    AtenTensorHandle tensor,
    int64_t dimensions,
    const int64_t *sizes,
    const int64_t *strides,
    int64_t storage_offset,
    AtenTensorHandle *result);
AOTITorchError aoti_torch_get_data_ptr(AtenTensorHandle tensor, void **result);
AOTITorchError aoti_torch_get_dim(AtenTensorHandle tensor, int64_t *result);
AOTITorchError aoti_torch_get_numel(AtenTensorHandle tensor, int64_t *result);
AOTITorchError aoti_torch_get_sizes(AtenTensorHandle tensor, int64_t **result);
AOTITorchError aoti_torch_get_strides(AtenTensorHandle tensor, int64_t **result);
AOTITorchError aoti_torch_get_dtype(AtenTensorHandle tensor, int32_t *result);
AOTITorchError aoti_torch_get_device_type(AtenTensorHandle tensor, int32_t *result);
AOTITorchError aoti_torch_get_device_index(AtenTensorHandle tensor, int32_t *result);
AOTITorchError aoti_torch_get_storage_offset(AtenTensorHandle tensor, int64_t *result);
AOTITorchError aoti_torch_get_storage_size(AtenTensorHandle tensor, int64_t *result);

/* LibTorch: codes */
int32_t aoti_torch_dtype_float64(void);
int32_t aoti_torch_dtype_float32(void);
int32_t aoti_torch_dtype_float16(void);
int32_t aoti_torch_dtype_bfloat16(void);
int32_t aoti_torch_dtype_float8_e4m3fn(void);
int32_t aoti_torch_dtype_float8_e5m2(void);
int32_t aoti_torch_dtype_int64(void);
int32_t aoti_torch_dtype_int32(void);
int32_t aoti_torch_dtype_int16(void);
int32_t aoti_torch_dtype_int8(void);
int32_t aoti_torch_dtype_uint8(void);
int32_t aoti_torch_dtype_bool(void);
int32_t aoti_torch_device_type_cpu(void);
int32_t aoti_torch_device_type_cuda(void);
int32_t aoti_torch_device_type_meta(void);
int32_t aoti_torch_layout_strided(void);

/* LibTorch: typed functions */
AOTITorchError aoti_torch_aten_subtract_Tensor(
    AtenTensorHandle self, AtenTensorHandle other, double alpha, AtenTensorHandle *result);
AOTITorchError aoti_torch_aten_fill__Scalar(AtenTensorHandle self, double value);
AOTITorchError aoti_torch_cpu_addmm_out(
    AtenTensorHandle out,
    AtenTensorHandle self,
    AtenTensorHandle a,
    AtenTensorHandle b,
    double beta,
    double alpha);
AOTITorchError aoti_torch_cuda_addmm_out(
    AtenTensorHandle out,
    AtenTensorHandle self,
    AtenTensorHandle a,
    AtenTensorHandle b,
    double beta,
    double alpha);
AOTITorchError aoti_torch_cuda__scaled_dot_product_cudnn_attention(
    AtenTensorHandle query,
    AtenTensorHandle key,
    AtenTensorHandle value,
    AtenTensorHandle *bias,
    int32_t compute_log_sum_exp,
    double dropout,
    int32_t causal,
    int32_t return_debug_mask,
    double *scale,
    AtenTensorHandle *output,
    AtenTensorHandle *log_sum_exp,
    AtenTensorHandle *cumulative_queries,
    AtenTensorHandle *cumulative_keys,
    int64_t *longest_query,
    int64_t *longest_key,
    AtenTensorHandle *seed,
    AtenTensorHandle *offset,
    AtenTensorHandle *debug_mask);
AOTITorchError aoti_torch_cuda__scaled_dot_product_cudnn_attention_backward(
    AtenTensorHandle grad_output,
    AtenTensorHandle query,
    AtenTensorHandle key,
    AtenTensorHandle value,
    AtenTensorHandle output,
    AtenTensorHandle log_sum_exp,
    AtenTensorHandle seed,
    AtenTensorHandle offset,
    AtenTensorHandle bias,
    AtenTensorHandle cumulative_queries,
    AtenTensorHandle cumulative_keys,
    int64_t longest_query,
    int64_t longest_key,
    double dropout,
    int32_t causal,
    double *scale,
    AtenTensorHandle *grad_query,
    AtenTensorHandle *grad_key,
    AtenTensorHandle *grad_value);
AOTITorchError aoti_torch_cuda__scaled_dot_product_flash_attention(
    AtenTensorHandle query,
    AtenTensorHandle key,
    AtenTensorHandle value,
    double dropout,
    int32_t causal,
    int32_t return_debug_mask,
    double *scale,
    AtenTensorHandle *output,
    AtenTensorHandle *log_sum_exp,
    AtenTensorHandle *cumulative_queries,
    AtenTensorHandle *cumulative_keys,
    int64_t *longest_query,
    int64_t *longest_key,
    AtenTensorHandle *random_state,
    AtenTensorHandle *unused,
    AtenTensorHandle *debug_mask);
AOTITorchError aoti_torch_cuda__scaled_dot_product_flash_attention_backward(
    AtenTensorHandle grad_output,
    AtenTensorHandle query,
    AtenTensorHandle key,
    AtenTensorHandle value,
    AtenTensorHandle output,
    AtenTensorHandle log_sum_exp,
    AtenTensorHandle cumulative_queries,
    AtenTensorHandle cumulative_keys,
    int64_t longest_query,
    int64_t longest_key,
    double dropout,
    int32_t causal,
    AtenTensorHandle random_state,
    AtenTensorHandle unused,
    double *scale,
    AtenTensorHandle *grad_query,
    AtenTensorHandle *grad_key,
    AtenTensorHandle *grad_value);

/* LibTorch: C++ functions of ATen/Context.h, by the names that the compiler gives them */
uint64_t _ZN2at13globalContextEv(void);
void _ZN2at7Context26setDeterministicAlgorithmsEbb(void *context, _Bool on, _Bool warn_only);
void _ZN2at7Context39setDeterministicFillUninitializedMemoryEb(void *context, _Bool on);

/* LibTorch: c10::initLogging of c10/util/Logging.h */
void _ZN3c1011initLoggingEv(void);

/* LibTorch: threads and streams */
AOTITorchError torch_get_num_threads(uint32_t *threads);
AOTITorchError torch_get_current_cuda_blas_handle(void **ret_handle);
AOTITorchError aoti_torch_get_current_cuda_stream(int32_t device, void **stream);
AOTITorchError aoti_torch_create_cuda_guard(int32_t device, CUDAGuardHandle *guard);
AOTITorchError aoti_torch_create_cuda_stream_guard(
    void *stream, int32_t device_index, CUDAStreamGuardHandle *ret_guard);
AOTITorchError aoti_torch_delete_cuda_stream_guard(CUDAStreamGuardHandle guard);

/* CUDA driver */
CUresult cuInit(unsigned int flags);
CUresult cuDriverGetVersion(int *version);
CUresult cuGetErrorName(CUresult error, const char **text);
CUresult cuGetErrorString(CUresult error, const char **text);
CUresult cuDeviceGetCount(int *count);
CUresult cuDeviceGet(CUdevice *device, int ordinal);
CUresult cuDeviceGetName(char *name, int length, CUdevice device);
CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice device);
CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device);
CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice device);
CUresult cuDeviceGetPCIBusId(char *id, int length, CUdevice device);
CUresult cuDeviceCanAccessPeer(int *can, CUdevice device, CUdevice peer);
CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device);
CUresult cuCtxSetCurrent(CUcontext context);
CUresult cuCtxGetCurrent(CUcontext *context);
CUresult cuMemGetInfo_v2(size_t *free, size_t *total);
CUresult cuEventCreate(CUevent *event, unsigned int flags);
CUresult cuEventRecord(CUevent event, CUstream stream);
CUresult cuEventQuery(CUevent event);
CUresult cuEventSynchronize(CUevent event);
CUresult cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end);
CUresult cuEventDestroy_v2(CUevent event);
CUresult cuStreamCreate(CUstream *phStream, unsigned int Flags);
CUresult cuStreamCreateWithPriority(CUstream *phStream, unsigned int flags, int priority);
CUresult cuCtxGetStreamPriorityRange(int *leastPriority, int *greatestPriority);
CUresult cuStreamDestroy_v2(CUstream hStream);
CUresult cuStreamSynchronize(CUstream stream);
CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned int flags);
CUresult cuStreamWaitValue32_v2(
    CUstream stream, CUdeviceptr addr, uint32_t value, unsigned int flags);
CUresult cuMemcpyHtoDAsync_v2(
    CUdeviceptr target, const void *source, size_t bytes, CUstream stream);
CUresult cuMemHostRegister_v2(void *p, size_t bytesize, unsigned int Flags);
CUresult cuMemHostUnregister(void *p);
CUresult cuMemcpyDtoHAsync_v2(void *target, CUdeviceptr source, size_t bytes, CUstream stream);
CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *pCopy, CUstream hStream);
CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes);
CUresult cuMemFree_v2(CUdeviceptr address);
CUresult cuMemcpyDtoDAsync_v2(
    CUdeviceptr target, CUdeviceptr source, size_t bytes, CUstream stream);
CUresult cuMemcpyPeerAsync(
    CUdeviceptr target,
    CUcontext target_context,
    CUdeviceptr source,
    CUcontext source_context,
    size_t bytes,
    CUstream stream);
CUresult cuCtxEnablePeerAccess(CUcontext peer, unsigned int flags);
CUresult cuCtxDisablePeerAccess(CUcontext peer);
CUresult cuModuleLoadData(CUmodule *module, const void *image);
CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name);
CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value);
CUresult cuFuncGetAttribute(int *value, CUfunction_attribute attribute, CUfunction function);
CUresult cuTensorMapEncodeTiled(
    void *map,
    int dtype,
    uint32_t rank,
    CUdeviceptr address,
    const uint64_t *sizes,
    const uint64_t *strides,
    const uint32_t *box,
    const uint32_t *element_strides,
    int interleave,
    int swizzle,
    int promotion,
    int fill);
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
    void **extra);

/* cuBLAS */
int cublasGemmEx(
    cublasHandle_t handle, int transa, int transb, int m, int n, int k, const void *alpha,
    CUdeviceptr A, int Atype, int lda, CUdeviceptr B, int Btype, int ldb, const void *beta,
    CUdeviceptr C, int Ctype, int ldc, int computeType, int algo);

/* NVRTC */
const char *nvrtcGetErrorString(nvrtcResult result);
nvrtcResult nvrtcVersion(int *major, int *minor);
nvrtcResult nvrtcGetNumSupportedArchs(int *count);
nvrtcResult nvrtcGetSupportedArchs(int *architectures);
nvrtcResult nvrtcCreateProgram(
    nvrtcProgram *program,
    const char *source,
    const char *name,
    int headers,
    const char *const *header_texts,
    const char *const *header_names);
nvrtcResult nvrtcCompileProgram(nvrtcProgram program, int count, const char *const *options);
nvrtcResult nvrtcDestroyProgram(nvrtcProgram *program);
nvrtcResult nvrtcGetCUBINSize(nvrtcProgram program, size_t *size);
nvrtcResult nvrtcGetCUBIN(nvrtcProgram program, char *cubin);
nvrtcResult nvrtcGetProgramLogSize(nvrtcProgram program, size_t *size);
nvrtcResult nvrtcGetProgramLog(nvrtcProgram program, char *log);

/* NVML */
nvmlReturn_t nvmlInit_v2(void);
const char *nvmlErrorString(nvmlReturn_t result);
nvmlReturn_t nvmlSystemGetDriverVersion(char *version, unsigned int length);
nvmlReturn_t nvmlSystemGetNVMLVersion(char *version, unsigned int length);
nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *version);
nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count);
nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device);
nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned int length);
nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *uuid, unsigned int length);
nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *info);
nvmlReturn_t nvmlDeviceGetCudaComputeCapability(nvmlDevice_t device, int *major, int *minor);
nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory);
nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, nvmlMemory_v2_t *memory);
nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(
    nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_t *infos);
nvmlReturn_t nvmlEventSetCreate(nvmlEventSet_t *set);
nvmlReturn_t nvmlDeviceRegisterEvents(
    nvmlDevice_t device, unsigned long long event_types, nvmlEventSet_t set);
nvmlReturn_t nvmlEventSetWait_v2(
    nvmlEventSet_t set, nvmlEventData_t *data, unsigned int timeout_milliseconds);
nvmlReturn_t nvmlGpmQueryDeviceSupport(nvmlDevice_t device, nvmlGpmSupport_t *support);
nvmlReturn_t nvmlGpmSampleAlloc(nvmlGpmSample_t *sample);
nvmlReturn_t nvmlGpmSampleGet(nvmlDevice_t device, nvmlGpmSample_t sample);
nvmlReturn_t nvmlGpmMetricsGet(nvmlGpmMetricsGet_t *get);
nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *utilization);
nvmlReturn_t nvmlDeviceGetTemperature(
    nvmlDevice_t device, nvmlTemperatureSensors_t sensor, unsigned int *temperature);
nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned int *milliwatts);
nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned int *milliwatts);
nvmlReturn_t nvmlDeviceGetPowerManagementDefaultLimit(
    nvmlDevice_t device, unsigned int *milliwatts);
nvmlReturn_t nvmlDeviceGetPowerManagementLimitConstraints(
    nvmlDevice_t device, unsigned int *min_milliwatts, unsigned int *max_milliwatts);
nvmlReturn_t nvmlDeviceGetApplicationsClock(
    nvmlDevice_t device, nvmlClockType_t type, unsigned int *megahertz);
nvmlReturn_t nvmlDeviceGetDefaultApplicationsClock(
    nvmlDevice_t device, nvmlClockType_t type, unsigned int *megahertz);
nvmlReturn_t nvmlDeviceGetPerformanceState(nvmlDevice_t device, nvmlPstates_t *state);
nvmlReturn_t nvmlDeviceGetGpuMaxPcieLinkGeneration(
    nvmlDevice_t device, unsigned int *generation);
nvmlReturn_t nvmlDeviceGetPcieThroughput(
    nvmlDevice_t device, nvmlPcieUtilCounter_t counter, unsigned int *kb_per_second);
nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, nvmlFieldValue_t *values);
nvmlReturn_t nvmlDeviceGetPcieReplayCounter(nvmlDevice_t device, unsigned int *replays);
nvmlReturn_t nvmlDeviceGetPersistenceMode(nvmlDevice_t device, nvmlEnableState_t *mode);
nvmlReturn_t nvmlDeviceGetComputeMode(nvmlDevice_t device, nvmlComputeMode_t *mode);
nvmlReturn_t nvmlDeviceGetMigMode(
    nvmlDevice_t device, unsigned int *current, unsigned int *pending);
nvmlReturn_t nvmlDeviceGetRetiredPagesPendingStatus(
    nvmlDevice_t device, nvmlEnableState_t *pending);
nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(
    nvmlDevice_t device, unsigned long long *millijoules);
nvmlReturn_t nvmlDeviceGetClockInfo(
    nvmlDevice_t device, nvmlClockType_t type, unsigned int *megahertz);
nvmlReturn_t nvmlDeviceGetMaxClockInfo(
    nvmlDevice_t device, nvmlClockType_t type, unsigned int *megahertz);
nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(
    nvmlDevice_t device, unsigned long long *reasons);
nvmlReturn_t nvmlDeviceGetCurrPcieLinkGeneration(nvmlDevice_t device, unsigned int *generation);
nvmlReturn_t nvmlDeviceGetCurrPcieLinkWidth(nvmlDevice_t device, unsigned int *width);
nvmlReturn_t nvmlDeviceGetMaxPcieLinkGeneration(nvmlDevice_t device, unsigned int *generation);
nvmlReturn_t nvmlDeviceGetMaxPcieLinkWidth(nvmlDevice_t device, unsigned int *width);
nvmlReturn_t nvmlDeviceGetNvLinkState(
    nvmlDevice_t device, unsigned int link, nvmlEnableState_t *active);
nvmlReturn_t nvmlDeviceGetNvLinkVersion(
    nvmlDevice_t device, unsigned int link, unsigned int *version);
nvmlReturn_t nvmlDeviceGetNvLinkRemoteDeviceType(
    nvmlDevice_t device, unsigned int link, nvmlIntNvLinkDeviceType_t *type);
nvmlReturn_t nvmlDeviceGetNvLinkRemotePciInfo_v2(
    nvmlDevice_t device, unsigned int link, nvmlPciInfo_t *info);
nvmlReturn_t nvmlDeviceGetEccMode(
    nvmlDevice_t device, nvmlEnableState_t *current, nvmlEnableState_t *pending);
nvmlReturn_t nvmlDeviceGetTotalEccErrors(
    nvmlDevice_t device,
    nvmlMemoryErrorType_t type,
    nvmlEccCounterType_t counter,
    unsigned long long *count);
nvmlReturn_t nvmlDeviceGetRemappedRows(
    nvmlDevice_t device,
    unsigned int *corrected,
    unsigned int *uncorrected,
    unsigned int *pending,
    unsigned int *failed);
nvmlReturn_t nvmlDeviceGetTopologyCommonAncestor(
    nvmlDevice_t first, nvmlDevice_t second, nvmlGpuTopologyLevel_t *level);
nvmlReturn_t nvmlDeviceGetP2PStatus(
    nvmlDevice_t first,
    nvmlDevice_t second,
    nvmlGpuP2PCapsIndex_t capability,
    nvmlGpuP2PStatus_t *status);

/* cuDNN, NCCL */
size_t cudnnGetVersion(void);
ncclResult_t ncclGetVersion(int *version);

#endif
