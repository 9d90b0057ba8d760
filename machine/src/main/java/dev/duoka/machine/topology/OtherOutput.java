package dev.duoka.machine.topology;

import java.util.Arrays;
import java.util.regex.Pattern;

/** What a text without a matrix is instead, and which command gives the matrix. */
enum OtherOutput {
  LOST_GPU(
      "(?i)unable to determine the device handle|\\bGPU is lost\\b|device .{0,40}fallen off the bus"
          + "|unable to communicate with gpu|reboot the system to recover this gpu",
      "nvidia-smi says there that it lost a GPU, and shows no matrix",
      "Reset that GPU or restart the machine (its dmesg in 'duoka diagnose' says more), then pass"
          + " the output of 'nvidia-smi topo -m' from there."),
  NO_GPU(
      "(?i)no devices were found|nvidia-smi has failed"
          + "|couldn't communicate with the nvidia driver|failed to initialize nvml"
          + "|command not found",
      "nvidia-smi reached no GPU there, it says so itself",
      "Repair the driver on that machine (nvidia-smi must list its GPUs) and run it again."),
  SICK_GPU(
      "\\A(?s)(?=.*NVIDIA-SMI \\d).*\\bERR!",
      "it is the table of nvidia-smi, in which a GPU answers with ERR!; it shows no links between"
          + " GPUs",
      "Reset that GPU or restart the machine if nvidia-smi stays so, then pass the output of"
          + " 'nvidia-smi topo -m' from there."),
  MIG_PROFILES(
      "(?i)\\bGPU instance profiles:|\\bGPU instances:|\\bcompute instance(?: profile)?s:",
      "it is a list of nvidia-smi mig: parts of GPUs, without the links between GPUs",
      Remedy.WHOLE),
  MIG_TABLE(
      "\\bMIG devices:|\\bMIG \\d+[cg]\\.[^\\n]*Device|UUID: MIG-",
      "it is a list of nvidia-smi with MIG devices: parts of GPUs, without the links between GPUs",
      Remedy.WHOLE),
  QUERY("NVSMI LOG", "it is the output of nvidia-smi -q, which shows each GPU alone", Remedy.RUN),
  NVLINKS(
      "(?m)^\\s*Link \\d+: (?:[\\d.]+ GB/s|<inactive>)",
      "it is the output of nvidia-smi nvlink, which does not say which GPUs a link connects",
      Remedy.RUN),
  MONITOR(
      "(?m)^#\\s*gpu\\s+(?:pwr|pid|sm|rxpci|gtemp)\\b",
      "it is the output of nvidia-smi dmon or pmon, which shows loads and no links",
      Remedy.RUN),
  LIST(
      "(?m)^\\s*GPU \\d+: .*\\(UUID: GPU-",
      "it is the list of nvidia-smi -L, which names GPUs without the links between them",
      Remedy.RUN),
  TABLE(
      "NVIDIA-SMI \\d",
      "it is the table of nvidia-smi, which shows each GPU alone and no links between them",
      Remedy.RUN),
  CSV(
      "(?mi)^\\s*(?:index|name|uuid|gpu_name|pci\\.bus_id|timestamp|count)\\b[^\\n]*, ?[a-z_.]+"
          + "(?: \\[\\w+\\])?\\s*$",
      "it is the output of nvidia-smi --query-gpu, which shows each GPU alone",
      Remedy.RUN),
  AMD(
      "(?i)rocm system management interface|\\brocm-smi\\b|\\bamd-smi\\b|weight between two gpus",
      "it is the output of AMD's tool",
      "Only matrices of 'nvidia-smi topo -m' are read."),
  PCI_LIST(
      "(?m)^[0-9a-fA-F:.]{7,12} (?:3D controller|VGA compatible controller|PCI bridge|Host bridge)",
      "it is the output of lspci, which does not show NVLink",
      Remedy.RUN),
  UNKNOWN(
      "",
      "there is no matrix with a GPU in it",
      "Pass the output of 'nvidia-smi topo -m', from the line with GPU0 on.");

  private final Pattern sign;
  private final String what;
  private final String remedy;

  OtherOutput(String sign, String what, String remedy) {
    this.sign = Pattern.compile(sign);
    this.what = what;
    this.remedy = remedy;
  }

  /** The first whose sign is there. */
  static OtherOutput of(String text) {
    return Arrays.stream(values())
        .filter(output -> output.sign.matcher(text).find())
        .findFirst()
        .orElseThrow();
  }

  /** For example {@code it is the table of nvidia-smi, which …}. */
  String what() {
    return what;
  }

  /** What to do; a sentence. */
  String remedy() {
    return remedy;
  }

  private static final class Remedy {
    static final String RUN = "Run 'nvidia-smi topo -m' on that machine and pass its output.";
    static final String WHOLE =
        "Run 'nvidia-smi topo -m' on that machine and pass its output; it shows whole GPUs, parts"
            + " of one have no links of their own.";
  }
}
