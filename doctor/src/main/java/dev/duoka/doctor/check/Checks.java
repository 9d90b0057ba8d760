package dev.duoka.doctor.check;

import java.util.List;

/** Every check, in the order of reports. */
final class Checks {
  static final List<Check> ALL =
      List.of(
          new DriverCheck(),
          new DriverModuleCheck(),
          new LostGpuCheck(),
          new DriverCudaCheck(),
          new VersionLineCheck(),
          new CudnnCheck(),
          new NcclVersionCheck(),
          new ArchitectureCheck(),
          new DuplicateTorchCheck(),
          new DuplicateLibraryCheck(),
          new CudaPackagesCheck(),
          new PcieWidthCheck(),
          new PcieGenerationCheck(),
          new PcieErrorsCheck(),
          new NvLinkCheck(),
          new FabricCheck(),
          new CopyCheck(),
          new AcsCheck(),
          new IommuCheck(),
          new NumaCheck(),
          new ShmCheck(),
          new MemlockCheck(),
          new OpenFilesCheck(),
          new HostMemoryCheck(),
          new PlannedGpusCheck(),
          new ContainerCheck(),
          new EccCheck(),
          new RowRemapCheck(),
          new RetiredPagesCheck(),
          new XidCheck(),
          new RecoveryCheck(),
          new PowerCapCheck(),
          new ThrottleCheck(),
          new TemperatureCheck(),
          new PersistenceCheck(),
          new ClocksCheck(),
          new ComputeModeCheck(),
          new MigCheck(),
          new OtherProcessesCheck(),
          new MixedGpusCheck(),
          new CudaVariablesCheck(),
          new NcclVariablesCheck());

  private Checks() {}
}
