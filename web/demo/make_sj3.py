"""Write a demonstration of the ministry's SJ3 table: `python -m web.demo.make_sj3`.

The instruments, hours and names are invented; only the layout is real. The file is committed as
`data/SJ310497.txt`, so that the demonstration imports a file and not a program's output.
"""

from pathlib import Path
from typing import Any

from equipment.importing.sj3 import write_sj3

SCHOOL = "10497"
TARGET = Path(__file__).parent / "data" / f"SJ3{SCHOOL}.txt"
ROWS: tuple[tuple[str, str, str, int, str, str, int, str], ...] = (
    ("20190311", "03030502", "高温同步热分析仪", 68_000_000, "STA 449 F3", "室温至1600℃，DSC/TG联用", 1180, "周启明"),
    ("20170526", "03030118", "激光共聚焦拉曼光谱仪", 152_000_000, "LabRAM", "532/633/785nm", 1465, "何曼"),
    ("20210908", "03030406", "X射线荧光光谱仪", 97_500_000, "AXIOS", "4kW铑靶，Be至U", 902, "罗建国"),
    ("20160417", "03040210", "电液伺服疲劳试验机", 76_000_000, "MTS 810", "±250kN，100Hz", 1322, "秦勇"),
    ("20220615", "03030303", "超高效液相色谱质谱联用仪", 318_000_000, "Xevo TQ-S", "三重四极杆", 1015, "柳青"),
    ("20180102", "03030207", "场发射环境扫描电镜", 285_000_000, "Quattro S", "1.0nm@30kV，低真空", 1604, "江雪"),
    ("20150720", "03060104", "激光粒度分析仪", 41_200_000, "Mastersizer 3000", "0.01-3500μm", 760, "无"),
    ("20231113", "03030612", "纳米压痕仪", 128_000_000, "TI 980", "*", 688, "段晓宇"),
    ("20140506", "03050303", "矢量网络分析仪", 112_000_000, "N5247B", "10MHz-67GHz", 540, "无"),
    ("20200228", "03030509", "热机械分析仪", 45_800_000, "TMA 402 F3", "-150至1000℃", 433, "文静"),
)  # fmt: skip


def make_rows() -> list[dict[str, Any]]:
    rows = []
    for asset, class_code, name, price, model, specification, hours, person in ROWS:
        rows.append(
            {
                "school": SCHOOL, "asset_number": asset, "class_code": class_code, "name": name, "price": price,
                "model": model, "specification": specification, "teaching_hours": hours // 8,
                "research_hours": hours - hours // 8 - hours // 10, "service_hours": hours // 10,
                "open_hours": hours // 5, "samples": hours * 2, "trained_students": hours // 60,
                "trained_teachers": hours // 300, "trained_others": hours // 400, "teaching_projects": hours // 350,
                "research_projects": hours // 120, "service_projects": hours // 200, "national_awards": 0,
                "provincial_awards": hours // 1200, "teacher_patents": hours // 500, "student_patents": 0,
                "indexed_papers": hours // 90, "core_papers": hours // 240, "person": person,
            }
        )  # fmt: skip
    return rows


if __name__ == "__main__":
    TARGET.write_bytes(write_sj3(make_rows())[0])
