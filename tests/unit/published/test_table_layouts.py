"""Tables in the layouts that a referee meets: each number is read as what it is, or is listed as not read."""

from __future__ import annotations

import pytest
from docx import Document
from openpyxl import Workbook

from refino_eval.published.reading import ReadDocument, read_document

LAYOUTS: tuple[tuple[str, str, int, int, str, dict[str, str]], ...] = (
    ("semicolon and decimal comma", "csv", 6, 0,
     ";Estimat;Standardfeil;p-verdi\nSysselsatt;0,021;0,011;0,056\nTimer;1,2;0,5;0,016\n",
     {"/sysselsatt/estimat/estimate": "0.021", "/sysselsatt/estimat/std_error": "0.011", "/timer/estimat/p_value": "0.016"}),
    ("thousands with a point", "csv", 4, 0,
     ";Tiltak;Kontroll\nInntekt, kr;12.345;9.870\nFormue, kr;1.234.567;98.765\n",
     {"/inntekt_kr/tiltak/mean": "12 345", "/formue_kr/kontroll/mean": "98 765"}),
    ("thousands with a comma", "csv", 4, 0,
     ",Treatment,Control\nEarnings,\"12,345\",\"9,870\"\nRate,0.35,0.30\n",
     {"/earnings/treatment/mean": "12 345", "/rate/control/mean": "0.30"}),
    ("thousands with thin spaces", "csv", 4, 0,
     ";Tiltak;Kontroll\nInntekt;12\u2009345;9\u202f870\nFormue;1\u00a0234\u00a0567;98\u2009765\n",
     {"/formue/tiltak/mean": "1 234 567", "/inntekt/kontroll/mean": "9 870"}),
    ("unicode minus", "csv", 6, 0,
     ",Effect,SE\nHours,\u22120.35,0.10\nWage,\u20130.04,0.02\nJobs,-0.1,0.2\n",
     {"/hours/effect/estimate": "-0.35", "/wage/effect/estimate": "-0.04", "/jobs/effect/std_error": "0.2"}),
    ("errors in parentheses below", "csv", 12, 0,
     ",(1),(2)\nTreatment,0.35**,0.30*\n,(0.10),(0.15)\nAge,0.01,0.02\n,(0.01),(0.01)\nObservations,\"1,234\",\"1,230\"\nR-squared,0.12,0.13\n",
     {"/treatment/1/estimate": "0.35**", "/treatment/2/std_error": "0.15", "/age/1/std_error": "0.01", "/all/2/n": "1 230", "/all/1/r_squared": "0.12"}),
    ("errors in square brackets below, parentheses are p", "csv", 4, 0,
     ",Employed,Hours\nTreatment,0.35,0.30\n,[0.10],[0.15]\n",
     {"/treatment/employed/std_error": "0.10"}),
    ("intervals in square brackets in a column", "csv", 6, 0,
     ",Effect,95% CI\nHours,0.35,\"[0.15, 0.55]\"\nWage,-0.04,\"[-0.08, 0.00]\"\n",
     {"/hours/effect/conf_low": "0.15", "/wage/effect/conf_high": "0.00"}),
    ("interval in words", "csv", 6, 0,
     ";Effekt;95 % KI\nTimer;0,35;0,15 til 0,55\nLønn;-0,04;fra -0,08 til 0,00\n",
     {"/timer/effekt/conf_low": "0.15", "/lønn/effekt/conf_high": "0.00"}),
    ("interval in two columns", "csv", 3, 0,
     ",Effect,Lower,Upper\nHours,0.35,0.15,0.55\n",
     {"/hours/effect/conf_low": "0.15", "/hours/effect/conf_high": "0.55"}),
    ("interval under a spanner", "csv", 6, 0,
     ",Effect,95% confidence interval,\n,,Lower,Upper\nHours,0.35,0.15,0.55\nWage,0.1,0.0,0.2\n",
     {"/hours/effect/conf_low": "0.15", "/hours/effect/conf_high": "0.55", "/wage/effect/estimate": "0.1"}),
    ("stars in a column", "csv", 4, 0,
     ",Effect,,SE\nHours,0.35,***,0.10\nWage,0.04,,0.03\n",
     {"/hours/effect/estimate": "0.35***", "/hours/effect/std_error": "0.10", "/wage/effect/estimate": "0.04"}),
    ("stars in a column with a head", "csv", 4, 0,
     ",Effect,SE,Sig.\nHours,0.35,0.10,***\nWage,0.04,0.03,\n",
     {"/hours/effect/estimate": "0.35***", "/hours/effect/std_error": "0.10", "/wage/effect/estimate": "0.04"}),
    ("stars set apart by a space", "csv", 2, 0,
     ",Effect,SE\nHours,0.35 **,0.10\n",
     {"/hours/effect/estimate": "0.35**"}),
    ("three spanners", "csv", 16, 0,
     ",Employment,,,,Earnings,,,\n,Month 12,,Month 24,,Month 12,,Month 24,\n,Effect,SE,Effect,SE,Effect,SE,Effect,SE\nWomen,0.1,0.01,0.2,0.02,10,1,20,2\nMen,0.3,0.03,0.4,0.04,30,3,40,4\n",
     {"/women/employment_month_24/estimate": "0.2", "/men/earnings_month_12/std_error": "3"}),
    ("panels as rows", "csv", 6, 0,
     ",Effect,SE\nPanel A. Women,,\nHours,0.35,0.10\nWage,0.1,0.05\nPanel B. Men,,\nHours,0.30,0.11\n",
     {"panel_a_women/hours/effect/estimate": "0.35", "panel_b_men/hours/effect/std_error": "0.11"}),
    ("footnote in one row", "csv", 2, 0,
     ",Effect,SE\nHours,0.35,0.10\n\"Note: N = 1,203. * p < 0.05, ** p < 0.01.\",,\n",
     {"/hours/effect/estimate": "0.35"}),
    ("footnote split by commas", "csv", 2, 0,
     ",Effect,SE\nHours,0.35,0.10\nNote: * p < 0.05, ** p < 0.01, *** p < 0.001\n",
     {"/hours/effect/estimate": "0.35", "/hours/effect/std_error": "0.10"}),
    ("units in heads", "csv", 3, 0,
     ";Effekt, prosentpoeng;Standardfeil;Kontrollgruppe, %\nI jobb;3,2;1,5;41,0\n",
     {"/i_jobb/effekt_prosentpoeng/estimate": "3.2", "/i_jobb/effekt_prosentpoeng/std_error": "1.5", "/i_jobb/kontrollgruppe/share": "41.0"}),
    ("empty columns between", "csv", 3, 0,
     ",Effect,,SE,,p\nHours,0.35,,0.10,,0.001\n",
     {"/hours/effect/std_error": "0.10", "/hours/effect/p_value": "0.001"}),
    ("empty first row and column", "csv", 4, 0,
     ",,,\n,,Effect,SE\n,Hours,0.35,0.10\n,Wage,0.1,0.05\n",
     {"/hours/effect/estimate": "0.35", "/wage/effect/std_error": "0.05"}),
    ("not available", "csv", 2, 0,
     ",Effect,SE\nHours,n.a.,n.a.\nWage,\u2013,..\nJobs,0.1,(0.05)\nX,.,NA\n",
     {"/jobs/effect/estimate": "0.1"}),
    ("p below a bound", "csv", 10, 0,
     ",Effect,p\nHours,0.35,< 0.001\nWage,0.1,<.001\nJobs,0.2,p = .03\nRent,0.2,p<0.05\nFood,0.1,> 0.99\n",
     {"/hours/effect/p_value": "0.001", "/wage/effect/p_value": "0.001", "/jobs/effect/p_value": "0.03", "/rent/effect/p_value": "0.05", "/food/effect/p_value": "0.99"}),
    ("percentages with a sign", "csv", 4, 0,
     ",Treatment,Control\nWomen,45.2%,44.8 %\nAge,39.4,40.2\n",
     {"/women/treatment/share": "45.2%", "/women/control/share": "44.8%", "/age/control/mean": "40.2"}),
    ("size in the head", "csv", 4, 0,
     ",\"Treatment (N = 1,203)\",\"Control (n=1,101)\"\nWomen,0.45,0.44\n",
     {"/all/treatment/n": "1 203", "/all/control/n": "1 101", "/women/treatment/mean": "0.45"}),
    ("size in a row below the head", "csv", 4, 0,
     ",Treatment,Control\n,\"(N = 1,203)\",\"(N = 1,101)\"\nWomen,0.45,0.44\n",
     {"/all/treatment/n": "1 203", "/all/control/n": "1 101", "/women/treatment/mean": "0.45"}),
    ("size alone in a row below the head", "csv", 4, 0,
     ",Treatment,Control\nN,\"1,203\",\"1,101\"\nWomen,0.45,0.44\n",
     {"/all/treatment/n": "1 203", "/women/control/mean": "0.44"}),
    ("Norwegian heads", "csv", 12, 0,
     ";Tiltaksgruppe;;Kontrollgruppe;;Differanse;p-verdi\n;Antall;Andel;Antall;Andel;;\nKvinner;120;45,2;95;44,8;0,4;0,85\nOver 50 år;60;22,6;40;18,9;3,7;0,31\n",
     {"/kvinner/tiltaksgruppe/n": "120", "/kvinner/kontrollgruppe_andel/share": "44.8", "/over_50_år/difference/p_value": "0.31"}),
    ("transposed", "csv", 15, 0,
     ",Employed,Hours,Wage\nEffect,0.02,1.2,10\nStandard error,0.01,0.5,4\np-value,0.046,0.016,0.012\nControl mean,0.40,30,200\nObservations,1203,1203,1200\n",
     {"/effect/employed/estimate": "0.02", "/effect/hours/std_error": "0.5", "/effect/wage/p_value": "0.012", "/all/wage/n": "1200"}),
    ("long with a column of statistics", "csv", 5, 0,
     "outcome,group,statistic,value\nEmployed,women,estimate,0.02\nEmployed,women,std_error,0.01\nEmployed,men,estimate,0.05\nEmployed,men,std_error,0.02\nHours,men,n,1203\n",
     {"/employed_women/value/estimate": "0.02", "/employed_men/value/std_error": "0.02", "/hours_men/value/n": "1203"}),
    ("long as of broom", "csv", 12, 0,
     "term,estimate,std.error,statistic,p.value,conf.low,conf.high\ntreat,0.021,0.011,1.91,0.056,-0.001,0.043\nage,0.1,0.2,0.5,0.6,-0.3,0.5\n",
     {"/treat/estimate/estimate": "0.021", "/treat/estimate/std_error": "0.011", "/treat/estimate/conf_low": "-0.001", "/treat/estimate/t_stat": "1.91", "/treat/estimate/p_value": "0.056"}),
    ("no label column", "csv", 6, 0,
     "Effect,SE,p\n0.35,0.10,0.001\n0.1,0.05,0.04\n",
     {"//effect/estimate": "0.35", "//effect/std_error": "0.10"}),
    ("years as columns", "csv", 6, 0,
     ",2019,2020,2021\nOslo,712,698,705\nBergen,300,310,305\n",
     {"/oslo/2019/value": "712", "/bergen/2021/value": "305"}),
    ("counts that look like years", "csv", 6, 0,
     ",Treatment,Control\nOslo,2001,1998\nBergen,1987,2010\nViken,3001,2999\n",
     {"/oslo/treatment/mean": "2001", "/bergen/control/mean": "2010"}),
    ("years as rows", "csv", 4, 0,
     "Year,Treated,Control\n2019,0.45,0.44\n2020,0.50,0.47\n",
     {"/2019/treated/mean": "0.45", "/2020/control/mean": "0.47"}),
    ("mean and sd glued", "csv", 15, 0,
     ",Treatment,Control,p\nAge,39.4 (11.9),40.2 (11.8),0.32\n\"Women, n (%)\",120 (45.2),95 (44.8),0.9\nIncome (SD),39.4 (11.9),40.2 (11.8),.5\n",
     {"/women_n/treatment/count": "120", "/women_n/treatment/share": "45.2", "/income_sd/control/sd": "11.8", "/age/treatment/sd": "11.9"}),
    ("plus-minus", "csv", 4, 0,
     ",\"Treatment, mean ± SD\",\"Control, mean ± SD\"\nAge,39.4 ± 11.9,40.2 ± 11.8\n",
     {"/age/treatment/mean": "39.4", "/age/control/sd": "11.8"}),
    ("several tables in one file", "csv", 4, 0,
     "Table 1. Shares\n,Share,Number\nNorth,5.0%,12\n\nTable 2. Effects\n,Effect,SE\nWage,0.1,0.05\n",
     {"/north/share/share": "5.0%", "/wage/effect/std_error": "0.05"}),
    ("cells with words and numbers", "csv", 2, 2,
     ",Effect,Comment\nHours,0.35,see Smith 12\nWage,about 3 of 10,none\nJobs,0.2,ok\n",
     {"/hours/effect/estimate": "0.35"}),
    ("currency", "csv", 4, 0,
     ";Tiltak;Kontroll\nLønn;kr 1 234,50;kr 1 100,00\nGjeld;12 000,-;13 000,-\n",
     {"/lønn/tiltak/mean": "1 234.50", "/gjeld/kontroll/mean": "13 000"}),
    ("negative in accounting style", "csv", 4, 0,
     ",Treatment,Control\nBalance,\"(1,234)\",500\nDebt,100,200\n",
     {"/debt/treatment/mean": "100"}),
    ("million with a unit word", "csv", 1, 2,
     ",Cost\nProgramme,1.5 million\nOffice,2 mill.\nRoom,3\n",
     {"/room/cost/value": "3"}),
    ("tab text", "txt", 4, 0,
     "Table 3. Effects\n	Effect	SE\nHours	0.35	0.10\nWage	0.1	0.05\n",
     {"/hours/effect/estimate": "0.35"}),
    ("markdown with alignment", "md", 4, 0,
     "Table 2. Effects\n\n| | Effect | SE |\n|:--|--:|--:|\n| **Panel A** | | |\n| Hours | 0.35\\*\\* | (0.10) |\n| Wage | 1,234 | (500) |\n",
     {"panel_a/hours/effect/estimate": "0.35**", "panel_a/wage/effect/std_error": "500"}),
    ("markdown without outer pipes", "md", 2, 0,
     "Outcome | Effect | SE\n--- | --- | ---\nHours | 0.35 | 0.10\n",
     {"/hours/effect/estimate": "0.35"}),
    ("html with spans", "html", 12, 0,
     "<table><caption>Table 4. Effects</caption><thead><tr><th rowspan=2>Outcome<th colspan=2>Women<th colspan=2>Men<tr><th>Effect<th>SE<th>Effect<th>SE</thead><tr><td rowspan=2>Hours<td>0.35<sup>***</sup><td>0.10<td>0.3<td>0.1<tr><td>0.36<td>0.11<td>0.31<td>0.12<tr><td colspan=5>Panel B: all<tr><td>Wage<td>1<td>2<td>3<td>4</table>",
     {"/hours/women/estimate": "0.35***", "/hours_2/men/std_error": "0.12", "panel_b_all/wage/men/std_error": "4"}),
    ("html tfoot and br", "html", 4, 0,
     "<table><tr><th>Outcome<th>Effect<br>(SE)<tr><td>Hours<td>0.35**<br>(0.10)<tr><td>Wage<td>0.1<br>[0.05]<tfoot><tr><td colspan=2>* p &lt; 0.05; N = 1203</tfoot></table>",
     {"/hours/effect/estimate": "0.35**", "/hours/effect/std_error": "0.10", "/wage/effect/std_error": "0.05"}),
    ("rows of t in parentheses", "csv", 3, 0,
     ",(1)\nTreatment,0.35\n(t),(2.5)\nN,300\n",
     {"/treatment/1/t_stat": "2.5"}),
    ("p in a row of brackets named in label", "csv", 3, 0,
     ",(1)\nTreatment,0.35\nSE,(0.10)\np-value,[0.001]\n",
     {"/treatment/1/std_error": "0.10", "/treatment/1/p_value": "0.001"}),
    ("row labels with statistic after", "csv", 6, 0,
     ",Women,Men\n\"Employed, effect\",0.02,0.03\n\"Employed, SE\",0.01,0.02\n\"Employed, N\",600,603\n",
     {"/employed/women/estimate": "0.02"}),
    ("two label columns", "csv", 8, 0,
     "Outcome,Group,Effect,SE\nEmployed,Women,0.02,0.01\n,Men,0.03,0.02\nHours,Women,1.2,0.5\n,Men,1.1,0.6\n",
     {"/employed_women/effect/estimate": "0.02", "/hours_men/effect/std_error": "0.6"}),
    ("two label columns filled in", "csv", 8, 0,
     "Outcome,Statistic,Women,Men\nEmployed,Effect,0.02,0.03\n,SE,0.01,0.02\nHours,Effect,1.2,1.1\n,SE,0.5,0.6\n",
     {"/employed/men/std_error": "0.02", "/hours/women/estimate": "1.2"}),
    ("df and test in a cell", "csv", 6, 0,
     ",Test,p\nAge,\"t(98) = 2.31\",.023\nSex,\"χ2(1) = 3.84\",.050\n",
     {"/age/test/t_stat": "2.31"}),
    ("f of several numbers", "csv", 4, 0,
     ",F,df,p\nModel,3.2,\"2, 97\",0.045\n",
     {"/model/df/df": "2", "/model_2/df/df": "97", "/model/f/f_stat": "3.2"}),
    ("named numbers in one cell", "csv", 5, 0,
     ",Result\nHours,\"b = 0.35, SE = 0.10, p = .001\"\nWage,0.1 (p = 0.04)\n",
     {"/hours/result/estimate": "0.35", "/hours/result/std_error": "0.10", "/hours/result/p_value": "0.001", "/wage/result/p_value": "0.04"}),
    ("confidence interval named in the cell", "csv", 6, 0,
     ",Effect\nHours,\"0.35 (95% CI 0.15 to 0.55)\"\nWage,\"0.1 [95 % CI: 0.0, 0.2]\"\n",
     {"/hours/effect/conf_low": "0.15", "/wage/effect/conf_high": "0.2"}),
    ("sizes in a row at the foot", "csv", 4, 0,
     ",Treatment,Control\nWomen,0.45,0.44\n,N = 120,N = 130\n",
     {"/women/treatment/mean": "0.45", "/all/control/n": "130"}),
    ("means with errors in parentheses", "csv", 12, 0,
     ",Treatment,Control,Difference\nEmployed,0.451 (0.014),0.402 (0.013),0.049 (0.019)\nHours,12.3 (0.51),11.2 (0.49),1.1 (0.71)\n",
     {"/employed/treatment/mean": "0.451", "/employed/control/std_error": "0.013"}),
    ("a note names what is in parentheses", "csv", 4, 0,
     ",Treatment,Control\nHours,12.3 (8.1),11.2 (7.9)\n\"Notes: Standard errors in parentheses.\",,\n",
     {"/hours/treatment/std_error": "8.1"}),
    ("head repeated in the middle", "csv", 4, 0,
     ",Effect,SE\nHours,0.35,0.10\n,Effect,SE\nWage,0.1,0.05\n",
     {"/hours/effect/estimate": "0.35", "/wage/effect/std_error": "0.05"}),
    ("years in the middle", "csv", 4, 0,
     "Women,2019,2020\nOslo,10,11\nMen,2019,2020\nOslo,12,13\n",
     {"/oslo/2019/value": "10", "men/oslo/2020/value": "13"}),
    ("grouped by indentation", "csv", 6, 0,
     ",Treatment,Control\nEducation,,\n  Primary,0.2,0.3\n  Secondary,0.8,0.7\nAge,39,40\n",
     {"education/primary/treatment/mean": "0.2"}),
    ("quoted numbers with blanks", "csv", 2, 0,
     ";\"Effekt\";\"SE\"\n\"Lønn\";\" 0,35 \";\"( 0,10 )\"\n",
     {"/lønn/effekt/estimate": "0.35", "/lønn/effekt/std_error": "0.10"}),
    ("leading zeros left out", "csv", 4, 0,
     ",Effect,SE\nHours,.35,(.10)\nWage,-.04,(.02)\n",
     {"/wage/effect/estimate": "-0.04", "/wage/effect/std_error": "0.02"}),
    ("percentage in parentheses after a count", "csv", 4, 0,
     ";Tiltak;Kontroll\nKvinner;120 (45,2 %);95 (44,8 %)\n",
     {"/kvinner/tiltak/share": "45.2%"}),
    ("dagger marks", "csv", 6, 0,
     ",Effect,SE\nHours,0.35†,0.10\nWage,0.1‡,0.05\nJobs,0.2^a,0.1\n",
     {"/hours/effect/estimate": "0.35", "/jobs/effect/estimate": "0.2"}),
    ("apostrophes", "csv", 4, 0,
     ";Lohn;N\nA;1'234.50;1'203\nB;987.10;900\n",
     {"/a/lohn/value": "1 234.50", "/a/n/n": "1 203"}),
    ("a column of words after the labels", "csv", 4, 0,
     "Outcome,Unit,Effect,SE\nHours,hours a week,0.35,0.10\nWage,kroner,10,5\n",
     {"/hours_hours_a_week/effect/estimate": "0.35"}),
    ("a column of words between", "csv", 4, 0,
     "Outcome,Effect,Unit,SE\nHours,0.35,hours,0.10\nWage,10,kr,5\n",
     {"/hours/effect/std_error": "0.10"}),
    ("three stars levels in own columns", "csv", 4, 0,
     ",Effect,,SE,,Effect,,SE\nHours,0.35,***,0.10,,0.2,*,0.1\n",
     {"/hours/effect/estimate": "0.35***"}),
    ("comma decimals in a comma file", "csv", 4, 0,
     ",Effekt,SE\nTimer,\"0,35\",\"0,10\"\nLønn,\"-1,20\",\"0,50\"\n",
     {"/timer/effekt/estimate": "0.35", "/lønn/effekt/std_error": "0.50"}),
    ("range of an interquartile", "csv", 6, 0,
     ",Median (IQR)\nAge,39 (30\u201345)\nWage,\"12.5 (10.1, 15.2)\"\n",
     {"/age/median/median": "39", "/wage_2/median/value": "15.2"}),
    ("statistic and p under outcomes", "csv", 4, 0,
     "Outcome,Mean control,Mean treatment,Difference,p\nAge,40.2,39.4,-0.8,0.32\n",
     {"/age/mean_control/mean_control": "40.2", "/age/difference/difference": "-0.8", "/age/difference/p_value": "0.32"}),
    ("arms with spanner and sizes", "csv", 7, 0,
     ";Tiltak (N = 1 203);;Kontroll (N = 1 101);;\n;Gj.snitt;St.avvik;Gj.snitt;St.avvik;p\nAlder;39,4;11,9;40,2;11,8;0,32\n",
     {"/alder/tiltak/mean": "39.4", "/alder/kontroll/sd": "11.8", "/alder/p/p_value": "0.32", "/all/kontroll/n": "1 101"}),
    ("count of count", "csv", 10, 0,
     ";Tiltak;Kontroll\nKvinner;45/120;40/101\nMenn;75/120 (62,5 %);61/101 (60,4 %)\n",
     {"/kvinner/tiltak/count": "45", "/kvinner/tiltak/n": "120", "/menn/tiltak/share": "62.5%"}),
    ("numbers in scientific notation", "csv", 2, 0,
     ",Effect,p\nHours,1.2e-3,4.5E-05\n",
     {"/hours/effect/estimate": "0.0012", "/hours/effect/p_value": "0.000045"}),
    ("title rows above", "csv", 4, 0,
     "Table A3. Effects by gender\nAll people in the trial\n,Women,Men\nEffect,0.02,0.03\nSE,0.01,0.02\n",
     {"all_people_in_the_trial/effect/women/estimate": "0.02"}),
    ("rows of years with a label", "csv", 4, 0,
     "År;Tiltak;Kontroll\n2019;712;698\n2020;300;310\n",
     {"/2019/tiltak/mean": "712"}),
    ("months as columns", "csv", 6, 0,
     ",Month 6,Month 12,Month 24\nEffect,0.01,0.02,0.03\n,(0.01),(0.01),(0.02)\n",
     {"/effect/month_12/estimate": "0.02", "/effect/month_24/std_error": "0.02"}),
    ("numbered months as columns", "csv", 6, 0,
     "Month,6,12,24\nEffect,0.01,0.02,0.03\nSE,0.01,0.01,0.02\n",
     {"/effect/12/estimate": "0.02"}),
    ("log points and minus before currency", "csv", 4, 0,
     ",Effect,SE\nCost,-$12.5,$3.1\nGain,$-2.5,1\n",
     {"/cost/effect/estimate": "-12.5", "/gain/effect/estimate": "-2.5"}),
    ("stars before the number", "csv", 4, 0,
     ",Effect,SE\nCost,*0.35,0.1\nGain,**0.2,0.1\n",
     {"/cost/effect/estimate": "0.35*", "/gain/effect/estimate": "0.2**"}),
    ("semicolon stars in a cell of its own row", "csv", 4, 0,
     ",(1),(2)\nTreatment,0.35,0.30\n,***,*\n,(0.10),(0.15)\n",
     {"/treatment/1/estimate": "0.35", "/treatment/1/std_error": "0.10"}),
    ("head with a line break", "csv", 3, 0,
     "\"\",\"Effect\n(SE)\",\"N\"\nHours,\"0.35\n(0.10)\",300\n",
     {"/hours/effect/std_error": "0.10", "/hours/effect/n": "300"}),
    ("total row and column", "csv", 9, 0,
     ",Women,Men,Total\nOslo,10,12,22\nBergen,8,9,17\nTotal,18,21,39\n",
     {"/all/all/value": "39", "/oslo/women/value": "10"}),
    ("coefficients as statsmodels writes them", "csv", 12, 0,
     ",coef,std err,t,P>|t|,[0.025,0.975]\nconst,1.18,0.10,11.2,0.000,0.97,1.38\nz,-0.02,0.04,-0.48,0.629,-0.11,0.07\n",
     {"/const/coef/conf_low": "0.97", "/z/coef/estimate": "-0.02", "/z/coef/t_stat": "-0.48", "/z/coef/conf_high": "0.07"}),
    ("groups named in full above each mean and deviation", "csv", 12, 0,
     ",Treated mean,Treated SD,Control mean,Control SD,Difference,p-value\nAge,21.3,2.1,21.4,2.0,-0.1,0.13\nHours,8.1,3.2,7.9,3.1,0.2,0.40\n",
     {"/age/treated/mean": "21.3", "/age/treated/sd": "2.1", "/hours/control/sd": "3.1", "/hours/difference/p_value": "0.40"}),
    ("negative percent", "csv", 2, 0,
     ";Endring, %\nOslo;-3,5 %\nBergen;+2,1 %\n",
     {"/oslo/change/difference": "-3.5%"}),
)  # fmt: skip
"""Name, kind of file, numbers read, cells listed as not read, content, and some of the numbers (panel/row/column/statistic)."""


def numbers_of(document: ReadDocument) -> dict[str, str]:
    """Return the published numbers by panel, row, column and statistic."""
    records = document.values.to_dict("records")
    return {"/".join((r["panel"], r["row"], r["column"], r["statistic"])): r["printed"] for r in records}


@pytest.mark.parametrize(
    ("kind", "count", "unread", "content", "expected"),
    [layout[1:] for layout in LAYOUTS],
    ids=[each[0] for each in LAYOUTS],
)
def test_layout_is_read(tmp_path, kind, count, unread, content, expected):
    path = tmp_path / f"table.{kind}"
    path.write_text(content, encoding="utf-8")
    document = read_document(path)
    numbers = numbers_of(document)
    assert {key: numbers.get(key) for key in expected} == expected
    assert (len(document.values), len(document.unread)) == (count, unread), (numbers, document.unread)


def test_signs_before_a_number_are_kept_as_bounds(tmp_path):
    (tmp_path / "t.csv").write_text(
        ",Effect,p\nHours,0.35,< 0.001\nWage,0.1,>.99\nJobs,ca. 3,p < .05\n", encoding="utf-8"
    )
    records = read_document(tmp_path / "t.csv").values.to_dict("records")
    bounds = {(record["row"], record["statistic"]): record["qualifier"] for record in records}
    assert bounds["hours", "p_value"] == bounds["jobs", "p_value"] == "just_under"
    assert (bounds["wage", "p_value"], bounds["jobs", "estimate"]) == ("just_over", "about")


def test_workbook_with_merged_heads_labels_and_panels(tmp_path):
    book = Workbook()
    sheet = book.active
    rows = [("Tabell 1. Effekter",), (None, "Kvinner", None, "Menn"), (None, "Effekt", "SE", "Effekt", "SE"), ("Panel A",),
            ("I jobb", 0.021, 0.011, 0.034, 0.012), ("Panel B",), ("I jobb", 0.05, 0.01, 0.04, 0.02),
            ("N", 1203, None, 1101, None), ("Merknad: * p < 0.05",)]  # fmt: skip
    for row in rows:
        sheet.append(row)
    for area in ("A1:E1", "B2:C2", "D2:E2", "A4:E4", "A6:E6", "B8:C8", "D8:E8"):
        sheet.merge_cells(area)
    for cells in sheet.iter_rows(min_row=5, max_row=7, min_col=2):
        for cell in cells:
            cell.number_format = "0.000"
    second = book.create_sheet("Balanse")
    for row in [
        ("Gruppe", "Kjennetegn", "Tiltak", "Kontroll"),
        ("Kvinner", "Alder", 39.4, 40.2),
        (None, "Barn", 1.2, 1.3),
    ]:
        second.append(row)
    second.merge_cells("A2:A3")
    book.save(tmp_path / "book.xlsx")
    document = read_document(tmp_path / "book.xlsx")
    numbers = numbers_of(document)
    assert (len(document.values), document.unread, document.tables) == (14, (), 2)
    assert numbers["panel_b/i_jobb/menn/std_error"] == "0.020"
    assert numbers["panel_b/all/menn/n"] == "1101"
    assert numbers["/kvinner_barn/kontroll/mean"] == "1.3"


def test_word_table_with_errors_below_and_within_cells(tmp_path):
    document = Document()
    document.add_paragraph("Table 2. Effects", style="Caption")
    rows = [("Outcome", "Women", "", "Men"), ("", "(1)", "(2)", "(3)"), ("Employed", "0.021*\n(0.011)", "0.02 (0.01)", "\u22120.01"),
            ("", "", "", "(0.02)"), ("Controls", "No", "Yes", "No"), ("Observations", "1,203", "1,203", "1,101")]  # fmt: skip
    table = document.add_table(rows=len(rows), cols=4)
    for cells, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(cells.cells, texts, strict=True):
            cell.text = text
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(0, 0).merge(table.cell(1, 0))
    table.cell(2, 0).merge(table.cell(3, 0))
    document.save(str(tmp_path / "paper.docx"))
    numbers = numbers_of(read_document(tmp_path / "paper.docx"))
    assert numbers == {
        "/employed/women_1/estimate": "0.021*", "/employed/women_1/std_error": "0.011", "/employed/women_2/estimate": "0.02",
        "/employed/women_2/std_error": "0.01", "/employed/men_3/estimate": "-0.01", "/employed/men_3/std_error": "0.02",
        "/all/women_1/n": "1 203", "/all/women_2/n": "1 203", "/all/men_3/n": "1 101",
    }  # fmt: skip


def test_cells_that_are_no_numbers_are_listed_also_in_published_form(tmp_path):
    head = "exhibit,row,column,statistic,printed\n"
    (tmp_path / "t.csv").write_text(
        head + "t,a,b,estimate,0.3\nt,a,c,estimate,0.3.1\nt,a,d,estimate,\n", encoding="utf-8"
    )
    document = read_document(tmp_path / "t.csv")
    assert len(document.values) == 1
    assert [(each.place, each.reason) for each in document.unread] == [("t.csv, line 3", "\u201c0.3.1\u201d")]
