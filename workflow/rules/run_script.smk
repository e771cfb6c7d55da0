# What every rule inherits that runs a script: a rule has its own inputs, outputs, log and params, and resources
# where it needs more. Another study inherits with an environment of its own, and its rules from that.


rule run_script:
    log:
        f"{LOGS}/run_script.log",
    conda:
        f"{ENVIRONMENTS}/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        files=files,
    shell:
        "python {input.code[0]:q} {params} 2> {log:q}"
