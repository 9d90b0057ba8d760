package dev.duoka.experiment.ladder;

import java.util.List;

/**
 * What a ladder asks about the machine beside what its arms measure. No method runs beside an arm.
 */
interface Surroundings {
  /**
   * Cards of a rung, or the processors of one on the CPU, that compute for somebody else while none
   * of its arms runs.
   */
  List<BusyCard> busy(RungPlace place) throws InterruptedException;

  /** Lets ranks exchange where those of a rung are. */
  Exchanges exchanges(RungPlace place) throws InterruptedException;

  /** Tests a small likeness of the run on a mesh, as {@code KEY=VALUE} of the run file. */
  Likeness likeness(List<String> mesh) throws InterruptedException;

  /** Examines the machine, its cards' links and the variables of the environment. */
  MachineFindings machine() throws InterruptedException;
}
