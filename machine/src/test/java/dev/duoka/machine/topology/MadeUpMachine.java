package dev.duoka.machine.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A machine that never was, and what nvidia-smi would print on it. */
final class MadeUpMachine {
  final int gpus;
  final int nics;
  final boolean nicLegend;
  final String[][] cells;
  final List<String> names = new ArrayList<>();
  final List<String> devices = new ArrayList<>();
  final String[] cpus;
  final String[] numa;
  final String[] memory;

  /** 0 no titles, 1 CPU Affinity, 2 and NUMA Affinity, 3 and GPU NUMA ID. */
  final int titles;

  private MadeUpMachine(Random random, int gpus) {
    this.gpus = gpus;
    this.nics = random.nextInt(4) == 0 ? 0 : random.nextInt(7);
    this.nicLegend = random.nextBoolean();
    this.titles = random.nextInt(8) == 0 ? random.nextInt(2) : 2 + random.nextInt(2);
    int size = gpus + nics;
    this.cells = new String[size][size];
    this.cpus = new String[gpus];
    this.numa = new String[gpus];
    this.memory = new String[gpus];
    String prefix =
        List.of("mlx5_", "mlx5_bond_", "rocep1s0f", "ibp9s0f", "hfi1_").get(random.nextInt(5));
    for (int i = 0; i < size; i++) {
      names.add(i < gpus ? "GPU" + i : nicLegend ? "NIC" + (i - gpus) : prefix + (i - gpus));
      if (i >= gpus) {
        devices.add(prefix + (i - gpus));
      }
    }
    fill(random);
  }

  static MadeUpMachine of(Random random) {
    int[] sizes = {1, 2, 2, 3, 4, 4, 6, 8, 8, 8, 10, 16};
    return new MadeUpMachine(random, sizes[random.nextInt(sizes.length)]);
  }

  private void fill(Random random) {
    int half = Math.max(1, (gpus + 1) / 2);
    int style = random.nextInt(5);
    int count = List.of(1, 2, 4, 6, 8, 12, 18).get(random.nextInt(7));
    for (int i = 0; i < cells.length; i++) {
      cells[i][i] = "X";
      for (int j = i + 1; j < cells.length; j++) {
        boolean near = j < gpus ? (i < half) == (j < half) : random.nextBoolean();
        String pcie = near ? List.of("PIX", "PXB", "PHB", "NODE").get(random.nextInt(4)) : "SYS";
        boolean nvlink =
            j < gpus
                && (style == 0 || (style == 1 && near) || (style == 2 && random.nextBoolean()));
        String cell = nvlink ? "NV" + (style == 2 ? 1 + random.nextInt(2) : count) : pcie;
        cells[i][j] = cell;
        cells[j][i] = cell;
      }
    }
    int cores = 8 * (1 + random.nextInt(12));
    boolean power = random.nextInt(6) == 0;
    for (int i = 0; i < gpus; i++) {
      int node = i < half ? 0 : 1;
      cpus[i] =
          random.nextInt(12) == 0
              ? ""
              : node * cores
                  + "-"
                  + ((node + 1) * cores - 1)
                  + ","
                  + (node + 2) * cores
                  + "-"
                  + ((node + 3) * cores - 1);
      numa[i] = random.nextInt(12) == 0 ? "N/A" : Integer.toString(power ? 8 * node : node);
      memory[i] = random.nextInt(5) == 0 ? Integer.toString(20 + 8 * i) : "N/A";
    }
  }

  /** The matrix as the driver prints it, with tabs. */
  String text() {
    StringBuilder out = new StringBuilder();
    for (String name : names) {
      out.append('\t').append(name);
    }
    out.append(titles > 0 ? "\tCPU Affinity" : "");
    out.append(titles > 1 ? "\tNUMA Affinity" : "");
    out.append(titles > 2 ? "\tGPU NUMA ID" : "").append('\n');
    for (int i = 0; i < names.size(); i++) {
      out.append(names.get(i));
      for (int j = 0; j < names.size(); j++) {
        out.append('\t').append(i == j ? " X " : cells[i][j]);
      }
      boolean gpu = i < gpus;
      out.append(titles > 0 ? "\t" + (gpu ? cpus[i] : "") : "");
      out.append(titles > 1 ? "\t" + (gpu ? numa[i] : "") : "");
      out.append(titles > 2 ? "\t\t" + (gpu ? memory[i] : "") : "").append('\n');
    }
    return out.toString();
  }

  /** What follows the matrix. */
  String legend() {
    StringBuilder out = new StringBuilder("\nLegend:\n\n  X    = Self\n");
    out.append("  SYS  = traverses PCIe and the link between NUMA nodes\n");
    out.append("  NODE = traverses PCIe and host bridges within a NUMA node\n");
    out.append("  PIX  = traverses at most a single PCIe bridge\n  NV#  = a set of # NVLinks\n");
    if (nicLegend && nics > 0) {
      out.append("\nNIC Legend:\n\n");
      for (int i = 0; i < nics; i++) {
        out.append("  NIC").append(i).append(": ").append(devices.get(i)).append('\n');
      }
    }
    return out.toString();
  }
}
