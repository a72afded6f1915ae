"""How a report's page looks: on light and dark screens, narrow ones and paper."""

STYLE = """
:root{color-scheme:light dark;--ground:#f6f7f9;--paper:#fff;--ink:#1b1f24;--soft:#5c6670;
--line:#dfe3e8;--good:#1f883d;--warn:#b7791f;--bad:#cf222e;--tint:#f0f2f5}
@media(prefers-color-scheme:dark){:root{--ground:#0f1215;--paper:#181c20;--ink:#e6e9ec;
--soft:#98a2ad;--line:#2c333a;--good:#3fb950;--warn:#d8a23a;--bad:#f2615b;--tint:#20262c}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1040px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:25px;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:19px;margin:0;overflow-wrap:anywhere}
h3{font-size:15.5px;margin:0;overflow-wrap:anywhere}
p{margin:0}
.soft{color:var(--soft)}
.good{--tone:var(--good)}.warn{--tone:var(--warn)}.bad{--tone:var(--bad)}
.pill{flex:none;color:var(--tone);border:1.5px solid var(--tone);border-radius:99px;
padding:0 9px;font-size:12.5px;font-weight:650;white-space:nowrap}
.bar{display:flex;gap:2px;height:9px;margin:12px 0 4px;border-radius:5px;overflow:hidden}
.bar i,.share i,circle{background:var(--tone);fill:var(--tone)}
.share{height:8px;background:var(--tint);border-radius:4px;overflow:hidden;flex:1;min-width:60px}
.share i{display:block;height:100%;border-radius:4px}
section{background:var(--paper);border:1px solid var(--line);border-radius:10px;
margin-top:22px;padding:18px 20px}
section>header,article>header{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 12px}
article{border-top:1px solid var(--line);margin-top:16px;padding-top:14px;
display:grid;grid-template-columns:minmax(0,1fr);gap:9px}
article .measured{display:flex;align-items:center;gap:12px;font-size:13.5px}
ul{margin:0;padding-left:20px}
code,pre{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code{background:var(--tint);border-radius:4px;padding:1px 4px;overflow-wrap:anywhere}
pre{background:var(--tint);border-radius:6px;padding:10px 12px;margin:6px 0 0;
white-space:pre-wrap;overflow-wrap:anywhere}
summary{cursor:pointer;color:var(--soft);font-size:13.5px}
.scroll{overflow-x:auto;margin-top:6px}
table{border-collapse:collapse;font-size:13px;width:100%}
th,td{text-align:start;vertical-align:top;padding:4px 12px 4px 0;
border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--soft)}
.sample td{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12.5px;
max-width:26em;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.checked{color:var(--bad)}
.segments{display:grid;grid-template-columns:minmax(90px,auto) 1fr;gap:3px 14px;margin:0;
font-size:13px;align-items:center}
.segments dt{overflow-wrap:anywhere}
.segments dd{margin:0;display:flex;gap:12px;align-items:center}
.segments span{flex:none;min-width:9em;color:var(--soft)}
figure{margin:0}
figcaption{font-size:12px;color:var(--soft)}
svg{max-width:100%;height:auto;display:block}
polyline{fill:none;stroke:var(--soft);stroke-width:1.5;stroke-linejoin:round}
td figure figcaption{display:none}
td svg{width:130px}
footer{margin-top:26px;color:var(--soft);font-size:12.5px}
@media print{body{background:none}section{break-inside:avoid}}
"""
