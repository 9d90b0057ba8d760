package dev.duoka.doctor.check;

/** The ranks of the planned run against the GPUs. */
final class PlannedGpusCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "planned-gpus",
          "GPUs for the planned run",
          "the run file, NVML or nvidia-smi",
          "error when the run has more ranks than there are GPUs, a note when it has fewer");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    int there = machine.gpus().size();
    int needed = machine.plan().map(RunDemand::gpus).orElse(0);
    if (needed == 0) {
      return;
    }
    if (there == 0) {
      out.unseen("no GPU is known");
    } else if (needed > there) {
      out.error(
          "the run has " + needed + " ranks, one on each GPU; the machine has " + there + " GPUs",
          "the run does not start",
          "./duoka train RUN.yaml --set parallel.data=" + there);
    } else if (needed < there) {
      out.note(
          "the run uses " + needed + " of " + there + " GPUs",
          "the others stay idle",
          "./duoka train RUN.yaml --set parallel.data=" + there + "   # to use all");
    }
  }
}
