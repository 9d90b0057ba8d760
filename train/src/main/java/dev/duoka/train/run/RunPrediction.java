package dev.duoka.train.run;

import dev.duoka.formats.prediction.PredictedDevice;
import dev.duoka.formats.prediction.Prediction;
import dev.duoka.tensor.Device;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.device.ProcessMemory;
import dev.duoka.train.memory.MemoryNeed;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What is said of a run before it begins. */
final class RunPrediction {
  private RunPrediction() {}

  /**
   * The prediction of a run.
   *
   * @param memory what its step was found to need
   * @param forecast says how long a step takes
   */
  static Prediction of(
      StepForecast.Question question, RunMemory.Counted memory, StepForecast forecast) {
    Map<String, Long> ofProcess = new HashMap<>(Map.of("process", ofProcess()));
    memory.copy().ifPresent(copy -> ofProcess.put(copy.owner(), copy.bytes()));
    List<MemoryNeed> stages = memory.stages();
    StepForecast.Answer answer = forecast.of(question);
    int ranks = question.config().parallel().ranks();
    int perStage = ranks / stages.size();
    List<Map<String, Long>> bytes = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      bytes.add(stages.get(rank / perStage).byOwner());
    }
    return new Prediction(
        bytes,
        devices(
            question.placement(),
            question.processes(),
            question.placement().isOnGpus() ? answer.beside() : ofProcess),
        answer.step(),
        answer.why());
  }

  /** What the process has before it trains, without objects of the JVM, which are measured. */
  private static long ofProcess() {
    return Math.max(0, ProcessMemory.anonymousBytes() - ProcessMemory.heapBytes());
  }

  /** The other processes are taken to be like this one. */
  private static List<PredictedDevice> devices(
      DevicePlacement placement, int processes, Map<String, Long> beside) {
    Map<Device, List<Integer>> places = new LinkedHashMap<>();
    for (int i = 0; i < placement.devices().size(); i++) {
      places.computeIfAbsent(placement.devices().get(i), _ -> new ArrayList<>()).add(i);
    }
    List<PredictedDevice> devices = new ArrayList<>();
    for (int process = 0; process < processes; process++) {
      int first = process * placement.devices().size();
      String ofProcess = processes == 1 ? "" : " of process " + process;
      places.forEach(
          (device, ranks) ->
              devices.add(
                  new PredictedDevice(
                      device + ofProcess,
                      ranks.stream().map(rank -> first + rank).toList(),
                      beside)));
    }
    return devices;
  }
}
