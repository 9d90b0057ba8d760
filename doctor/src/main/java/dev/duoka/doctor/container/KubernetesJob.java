package dev.duoka.doctor.container;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The Kubernetes manifest: a headless service by which pods find each other, and an indexed job of
 * a pod for each machine.
 */
final class KubernetesJob {
  private static final int LONGEST_NAME = 50;

  /** What ending takes beside the save. */
  private static final int KILL_SECONDS = 30;

  private KubernetesJob() {}

  static ExplainedFile of(ContainerPlan plan) {
    String name = name(plan.name());
    ExplainedFile file = new ExplainedFile("job.yaml");
    file.add(
        """
        apiVersion: v1
        kind: Service
        metadata:
          name: %s
        spec:
          clusterIP: None
          publishNotReadyAddresses: true
          selector:
            job-name: %s
        ---\
        """
            .formatted(name, name),
        "Gives each pod a name that the others can look up, before it is ready too.");
    file.add(
        """
        apiVersion: batch/v1
        kind: Job
        metadata:
          name: %s
        spec:
          completionMode: Indexed
          completions: %d
          parallelism: %d
          backoffLimit: 6\
        """
            .formatted(name, plan.nodes(), plan.nodes()),
        "A pod for each machine, which knows its number; failed ones are started again six times.");
    file.add(
        """
          podFailurePolicy:
            rules:
              - action: FailJob
                onExitCodes:
                  containerName: train
                  operator: In
                  values: [2, 93]
              - action: Ignore
                onPodConditions:
                  - type: DisruptionTarget\
        """,
        "What is wrong from the start (2), or would fail again (93), is not started again; a"
            + " drained machine does not count.");
    file.add(
        """
          template:
            spec:
              subdomain: %s
              restartPolicy: Never
              automountServiceAccountToken: false
              terminationGracePeriodSeconds: %d
              securityContext:
                runAsNonRoot: true
                runAsUser: 1000
                runAsGroup: 1000
                fsGroup: 1000
                seccompProfile:
                  type: RuntimeDefault\
        """
            .formatted(name, plan.graceSeconds() + KILL_SECONDS),
        "Not root, no rights in the cluster; on SIGTERM there is time to end the step and save:"
            + " twice what a save is said to take.");
    container(file, plan, name);
    volumes(file, plan);
    return file;
  }

  private static void container(ExplainedFile file, ContainerPlan plan, String name) {
    file.add(
        """
              containers:
                - name: train
                  image: registry.example/duoka-train:%s
                  imagePullPolicy: IfNotPresent
                  args: [%s]
                  workingDir: %s\
        """
            .formatted(
                plan.version(),
                String.join(", ", arguments(plan)),
                quoted(plan.workingDirectory().toString())),
        "Write the name of the image that you pushed, best with its digest. --continue goes on from"
            + " the newest checkpoint when the pod is started again.");
    file.add(
        """
                  env:
                    - name: DUOKA_GRACE_SECONDS
                      value: "%d"
                    - name: PET_NNODES
                      value: "%d"
                    - name: PET_NODE_RANK
                      valueFrom:
                        fieldRef:
                          fieldPath: metadata.annotations['batch.kubernetes.io/job-completion-index']
                    - name: PET_MASTER_ADDR
                      value: %s-0.%s
                    - name: PET_MASTER_PORT
                      value: "29500"\
        """
            .formatted(plan.graceSeconds(), plan.nodes(), name, name),
        "Where this machine is among those of the run, in torchrun's words.");
    if (plan.nodes() > 1) {
      file.add(
          """
                      - name: DUOKA_SECRET
                        valueFrom:
                          secretKeyRef:
                            name: %s
                            key: secret\
          """
              .formatted(name),
          "By which the pods know each other: kubectl create secret generic "
              + name
              + " --from-literal=secret=$(openssl rand -hex 32)");
    }
    file.add(
        """
                  resources:
                    requests:
                      cpu: "%d"
                      memory: %dGi%s
                    limits:
                      memory: %dGi%s\
        """
            .formatted(
                Math.max(4, 8 * plan.gpus()),
                memory(plan),
                devices(plan),
                memory(plan),
                devices(plan)),
        "The cards, processors and memory; correct them to what a machine of yours has.");
    file.add(
        """
                  securityContext:
                    allowPrivilegeEscalation: false
                    capabilities:
                      drop: [ALL]%s\
        """
            .formatted(plan.infiniband() ? "\n              add: [IPC_LOCK]" : ""),
        plan.infiniband()
            ? "No rights but to lock memory for RDMA."
            : "No rights beyond those of a plain process.");
    file.add(
        """
                  livenessProbe:
                    exec:
                      command: ["sh", "-c", %s]
                    initialDelaySeconds: 1800
                    periodSeconds: 60
                    timeoutSeconds: 30
                    failureThreshold: 30\
        """
            .formatted(quoted(Dockerfile.healthCheck(plan).replace("$$", "$"))),
        "As the image's health check, and patient: hangs are the supervisor's to explain.");
  }

  private static void volumes(ExplainedFile file, ContainerPlan plan) {
    StringBuilder mounts = new StringBuilder();
    StringBuilder volumes = new StringBuilder();
    List<Path> inputs = new ArrayList<>(plan.readOnly());
    plan.runFile().ifPresent(inputs::add);
    int number = 0;
    for (Path input : inputs.stream().distinct().toList()) {
      number++;
      String path = quoted(input.toString());
      mounts.append(
          """
          - name: input-%d
            mountPath: %s
            readOnly: true
          """
              .formatted(number, path)
              .indent(2));
      volumes.append(
          """
          - name: input-%d
            hostPath:
              path: %s
          """
              .formatted(number, path)
              .indent(2));
    }
    nested(
        file,
        10,
        """
        volumeMounts:
          - name: shm
            mountPath: /dev/shm
          - name: cache
            mountPath: /cache
          - name: runs
            mountPath: /runs
        """
            + mounts,
        "What the run reads, under the same paths as outside, and /runs; nothing else.");
    nested(
        file,
        6,
        """
        volumes:
          - name: shm
            emptyDir:
              medium: Memory
              sizeLimit: 16Gi
          - name: cache
            emptyDir: {}
          - name: runs
            hostPath:
              path: %s
              type: DirectoryOrCreate
        """
                .formatted(quoted(plan.runs().toString()))
            + volumes,
        "Memory for /dev/shm. All machines must share what is behind /runs: write"
            + " persistentVolumeClaim in the place of hostPath where you have one.");
  }

  /** Adds lines that belong to something above them. */
  private static void nested(ExplainedFile file, int depth, String text, String why) {
    file.add(text.indent(depth), why);
  }

  private static List<String> arguments(ContainerPlan plan) {
    if (plan.runFile().isEmpty()) {
      return List.of("doctor");
    }
    return List.of(
        "train",
        argument(plan.runFile().get().toString()),
        "--run-dir",
        argument("/runs/" + plan.name()),
        "--continue",
        "--supervise");
  }

  private static String devices(ContainerPlan plan) {
    return (plan.gpus() == 0 ? "" : "\n              nvidia.com/gpu: " + plan.gpus())
        + (plan.infiniband() ? "\n              rdma/rdma_shared_device_a: 1" : "");
  }

  /** Gibibytes: as much as the cards have twice over, for snapshots and an offloaded optimizer. */
  private static int memory(ContainerPlan plan) {
    return Math.max(16, 128 * plan.gpus());
  }

  /** A name as DNS takes it. */
  static String name(String name) {
    String dns =
        name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9-]", "-").replaceAll("^[^a-z]+", "");
    String cut = dns.length() > LONGEST_NAME ? dns.substring(0, LONGEST_NAME) : dns;
    String whole = cut.replaceAll("-+$", "");
    return whole.isEmpty() ? "duoka" : whole;
  }

  /** A word of a command as YAML takes it; $(…) would be a variable for Kubernetes. */
  private static String argument(String text) {
    return quoted(text).replace("$(", "$$(");
  }

  /** A string that YAML takes as it is. */
  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"', '\\' -> quoted.append('\\').append(c);
        default ->
            quoted.append(
                Character.isISOControl(c) ? "\\x%02X".formatted((int) c) : String.valueOf(c));
      }
    }
    return quoted.append('"').toString();
  }
}
